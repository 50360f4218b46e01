package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/client"
)

func (a *app) templatesAccess() *cobra.Command {
	return newGroup("access", "Say who may use and who may manage a template", a.accessShow(), a.accessGrant(), a.accessRemove())
}

func (a *app) accessShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show TEMPLATE",
		Short:             "List who may use or manage a template besides those whose role says so",
		Example:           "  berth templates access show docker",
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := c.TemplateGrants(cmd.Context(), *org, given[0])
			if err != nil {
				return err
			}
			return grantListing(given[0], "let somebody use it with: berth templates access grant "+given[0]+" --user NAME").print(a, *asJSON, found.Items)
		})
	}
	return cmd
}

func (a *app) accessGrant() *cobra.Command {
	var to sharees
	cmd := &cobra.Command{
		Use:   "grant TEMPLATE",
		Short: "Let users and groups use or manage a template",
		Long: `Let users and groups of a template's organization use it, which is to make
workspaces from it, or with the role admin manage it: push and activate versions,
edit, delete and share it. The group Everyone is all members of the organization;
new templates are open to it unless they are pushed with --private.`,
		Example: `  berth templates access grant docker --group Everyone
  berth templates access grant gpu --user alice:admin --group research`,
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	to.flags(cmd, true)
	org := a.organizationFlag(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		in, err := to.grants()
		if err != nil {
			return err
		}
		return a.withClient(func(c *client.Client) error {
			found, err := c.PutTemplateGrants(cmd.Context(), *org, given[0], in)
			if err != nil {
				return err
			}
			return grantListing(given[0], "").print(a, *asJSON, found.Items)
		})
	}
	return cmd
}

func (a *app) accessRemove() *cobra.Command {
	var to sharees
	cmd := &cobra.Command{
		Use:     "remove TEMPLATE",
		Aliases: []string{"rm"},
		Short:   "End what users and groups may do with a template; their workspaces stay",
		Example: `  berth templates access remove docker --group Everyone
  berth templates access remove gpu --user bob`,
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	to.flags(cmd, false)
	org := a.organizationFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if err := to.check(); err != nil {
			return err
		}
		return a.withClient(func(c *client.Client) error {
			if err := c.RemoveTemplateGrants(cmd.Context(), *org, given[0], to.users, to.groups); err != nil {
				return err
			}
			a.say("%s is not shared with %s any more", given[0], to)
			return nil
		})
	}
	return cmd
}
