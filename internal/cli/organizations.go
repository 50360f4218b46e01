package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
)

func (a *app) organizations() *cobra.Command {
	cmd := newGroup("organizations", "Organizations and their settings", a.organizationsList(), a.organizationsEdit())
	cmd.Aliases = []string{"organization", "orgs"}
	return cmd
}

func (a *app) organizationsList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the organizations that you see", Args: args(0, 0)}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.client()
		if err != nil {
			return err
		}
		defer c.Close()
		p, err := c.Organizations(cmd.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			return a.json(items(p.Items))
		}
		now := time.Now()
		var rows [][]string
		for _, o := range p.Items {
			rows = append(rows, []string{cell(o.Name), cell(o.DisplayName), map[bool]string{true: "yes", false: "no"}[o.ConnectStarts], ago(o.CreatedAt, now)})
		}
		a.table("You are a member of no organization.", []string{"NAME", "CALLED", "CONNECTIONS START", "CREATED"}, rows)
		return nil
	}
	return cmd
}

func (a *app) organizationsEdit() *cobra.Command {
	var connectStarts bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the settings of an organization",
		Long: `Change the settings of an organization. Owners of the site may.

With --connect-starts=false no connection starts a stopped workspace of the
organization, whatever the workspace's own setting says.`,
		Example: "  berth organizations edit default --connect-starts=false",
		Args:    args(1, 1),
	}
	cmd.Flags().BoolVar(&connectStarts, "connect-starts", true, "let connections start stopped workspaces that let them")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		var in api.EditOrganization
		if cmd.Flags().Changed("connect-starts") {
			in.ConnectStarts = &connectStarts
		}
		if in == (api.EditOrganization{}) {
			return usagef("there is nothing to change: give --connect-starts or --connect-starts=false")
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		defer c.Close()
		o, err := c.EditOrganization(cmd.Context(), given[0], in)
		if err != nil {
			return err
		}
		a.say("%s is changed", o.Name)
		return nil
	}
	return cmd
}
