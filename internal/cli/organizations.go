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
			rows = append(rows, []string{cell(o.Name), cell(o.DisplayName), yesNo(o.ConnectStarts), yesNo(o.IdleCounts), ago(o.CreatedAt, now)})
		}
		a.table("You are a member of no organization.", []string{"NAME", "CALLED", "CONNECTIONS START", "IDLE COUNTS", "CREATED"}, rows)
		return nil
	}
	return cmd
}

func (a *app) organizationsEdit() *cobra.Command {
	var connectStarts, idleCounts bool
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the settings of an organization",
		Long: `Change the settings of an organization. Owners of the site may.

With --connect-starts=false no connection starts a stopped workspace of the
organization, whatever the workspace's own setting says. With --idle-counts an
open connection keeps a workspace awake also while nothing is typed or shown.`,
		Example: `  berth organizations edit default --connect-starts=false
  berth organizations edit default --idle-counts=true`,
		Args: args(1, 1),
	}
	cmd.Flags().BoolVar(&connectStarts, "connect-starts", true, "let connections start stopped workspaces that let them")
	cmd.Flags().BoolVar(&idleCounts, "idle-counts", false, "count an open and idle connection as activity")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		var in api.EditOrganization
		if cmd.Flags().Changed("connect-starts") {
			in.ConnectStarts = &connectStarts
		}
		if cmd.Flags().Changed("idle-counts") {
			in.IdleCounts = &idleCounts
		}
		if in == (api.EditOrganization{}) {
			return usagef("there is nothing to change: give --connect-starts or --idle-counts, with =true or =false")
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

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
