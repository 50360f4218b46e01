package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) edit() *cobra.Command {
	var connectStarts bool
	var updates string
	cmd := &cobra.Command{
		Use:   "edit WORKSPACE",
		Short: "Change the settings of a workspace",
		Long: `Change the settings of a workspace. When it starts and stops by itself is said
with berth schedule.

With --connect-starts, which is how workspaces begin, connecting to it when it is
stopped starts it: berth ssh, ssh and editors. An organization may forbid that
for all its workspaces.

With --automatic-updates always it takes its template's active version when it is
started by its schedule or by a connection; with never it keeps its own until
somebody updates it.`,
		Example:           "  berth edit web --connect-starts=false\n  berth edit web --automatic-updates always",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().BoolVar(&connectStarts, "connect-starts", true, "start it when somebody connects to it")
	cmd.Flags().StringVar(&updates, "automatic-updates", "", "always or never: whether it takes new versions by itself")
	completeWords(cmd, "automatic-updates", []string{"always", "never"})
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		starts, takes := ifGiven(cmd, "connect-starts", &connectStarts), ifGiven(cmd, "automatic-updates", &updates)
		if starts == nil && takes == nil {
			return usagef("there is nothing to change: give --connect-starts, --connect-starts=false or --automatic-updates always")
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			if takes != nil {
				if err := a.setUpdates(cmd.Context(), c, w, t, *takes); err != nil {
					return err
				}
			}
			if starts == nil {
				return nil
			}
			w, err := c.EditWorkspace(cmd.Context(), w.ID, api.EditWorkspace{ConnectStarts: starts})
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

func (a *app) setUpdates(ctx context.Context, c *client.Client, w api.Workspace, t target, updates string) error {
	if updates != "always" && updates != "never" {
		return usagef("--automatic-updates is always or never, not %q", updates)
	}
	e, err := c.EditSchedule(ctx, w.ID, api.EditSchedule{AutomaticUpdates: &updates})
	if err != nil {
		return err
	}
	if updates == "always" {
		a.say("%s takes the active version of %s when it is started by its schedule or by a connection", t, w.Template)
	} else {
		a.say("%s keeps its version until somebody updates it", t)
	}
	for _, n := range e.Notes {
		a.say("%s", cell(n))
	}
	return nil
}
