package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) edit() *cobra.Command {
	var connectStarts bool
	cmd := &cobra.Command{
		Use:   "edit WORKSPACE",
		Short: "Change the settings of a workspace",
		Long: `Change the settings of a workspace.

With --connect-starts, which is how workspaces begin, connecting to it when it is
stopped starts it: berth ssh, ssh and editors. An organization may forbid that
for all its workspaces.`,
		Example:           "  berth edit web --connect-starts=false",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().BoolVar(&connectStarts, "connect-starts", true, "start it when somebody connects to it")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if !cmd.Flags().Changed("connect-starts") {
			return usagef("there is nothing to change: give --connect-starts or --connect-starts=false")
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			w, err := c.EditWorkspace(cmd.Context(), w.ID, api.EditWorkspace{ConnectStarts: &connectStarts})
			if err != nil {
				return err
			}
			switch {
			case !w.ConnectStarts:
				a.say("connections do not start %s", t)
			case w.ConnectForbidden:
				a.say("connections would start %s, but the organization %s lets no connection start workspaces", t, w.Organization)
			default:
				a.say("connections start %s when it is stopped", t)
			}
			return nil
		})
	}
	return cmd
}
