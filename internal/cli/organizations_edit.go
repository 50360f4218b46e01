package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) organizationsEdit() *cobra.Command {
	var in struct {
		name, display, description                             string
		connectStarts, idleCounts, sharing, offByUser          bool
		days                                                   []string
		workspaces, running, workspacesPerUser, runningPerUser int
	}
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the name or the settings of an organization",
		Long: `Change the name or the settings of an organization. Its owners and owners of the
site may.

With --connect-starts=false no connection starts a stopped workspace of the
organization, whatever the workspace's own setting says. With --idle-counts an
open connection keeps a workspace awake also while nothing is typed or shown.
With --sharing=false nobody shares workspaces, and what is shared already is not
shared while that holds. A limit of 0 is none.

An edit that stops workspaces sooner than without it is shown first and made only
if you agree. A new --auto-off reaches what runs already at its next start, or at
once with --apply-now. --undo takes back the last edit of --auto-off,
--auto-off-by-user, --autostart-days, --autostart-used-within and --idle-counts.`,
		Example: `  berth organizations edit default --connect-starts=false
  berth organizations edit default --idle-counts=true
  berth organizations edit research --autostart-days mon,tue,wed,thu,fri --auto-off 8h
  berth organizations edit research --auto-off 2h --dry-run
  berth organizations edit research --undo
  berth organizations edit research --max-running-per-user 3 --max-workspaces 200`,
		Args: args(1, 1), ValidArgsFunction: a.organizationNames,
	}
	f := cmd.Flags()
	f.StringVar(&in.name, "name", "", "another `name`")
	f.StringVar(&in.display, "display-name", "", "what people see instead of the name")
	f.StringVar(&in.description, "description", "", "one sentence or two")
	f.BoolVar(&in.connectStarts, "connect-starts", true, "let connections start stopped workspaces that let them")
	f.BoolVar(&in.idleCounts, "idle-counts", false, "count an open and idle connection as activity")
	f.BoolVar(&in.sharing, "sharing", true, "let people share their workspaces")
	f.StringSliceVar(&in.days, "autostart-days", nil, "`days` on which workspaces may start by themselves: mon,tue,…, every or none")
	off := newLengthFlag(cmd, "auto-off", "stop workspaces after this `time` without activity, such as 8h, or never")
	within := newLengthFlag(cmd, "autostart-used-within", "workspaces start by themselves only if they were used within this `time`, such as 4d; never: whether or not")
	f.BoolVar(&in.offByUser, "auto-off-by-user", true, "let people change that for their own workspaces")
	f.IntVar(&in.workspaces, "max-workspaces", 0, "most workspaces of the organization")
	f.IntVar(&in.running, "max-running", 0, "most running workspaces of the organization")
	f.IntVar(&in.workspacesPerUser, "max-workspaces-per-user", 0, "most workspaces of each user")
	f.IntVar(&in.runningPerUser, "max-running-per-user", 0, "most running workspaces of each user")
	care := carefulFlags(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		e := api.EditOrganization{
			Name: ifGiven(cmd, "name", &in.name), DisplayName: ifGiven(cmd, "display-name", &in.display), Description: ifGiven(cmd, "description", &in.description),
			ConnectStarts: ifGiven(cmd, "connect-starts", &in.connectStarts), IdleCounts: ifGiven(cmd, "idle-counts", &in.idleCounts),
			Sharing: ifGiven(cmd, "sharing", &in.sharing), AutoOffByUser: ifGiven(cmd, "auto-off-by-user", &in.offByUser),
			AutostartDays: ifGiven(cmd, "autostart-days", &in.days), AutoOff: off.given(cmd), UsedWithin: within.given(cmd),
		}
		if e.AutostartDays != nil {
			*e.AutostartDays = days(in.days)
		}
		l := api.EditWorkspaceLimits{
			Workspaces: ifGiven(cmd, "max-workspaces", &in.workspaces), Running: ifGiven(cmd, "max-running", &in.running),
			WorkspacesPerUser: ifGiven(cmd, "max-workspaces-per-user", &in.workspacesPerUser), RunningPerUser: ifGiven(cmd, "max-running-per-user", &in.runningPerUser),
		}
		if l != (api.EditWorkspaceLimits{}) {
			e.Limits = &l
		}
		switch nothing := e == (api.EditOrganization{}); {
		case care.undo && !nothing:
			return usagef("--undo takes back an edit and makes none: leave the other flags out")
		case care.now && e.AutoOff == nil && e.AutoOffByUser == nil && !care.undo:
			return usagef("--apply-now is about --auto-off: say what it is to be")
		case nothing && !care.undo:
			return usagef("there is nothing to change: see berth organizations edit --help")
		}
		return a.withClient(func(c *client.Client) error {
			o, err := carefully(cmd.Context(), a, *care, fmt.Sprintf("Change %s all the same?", given[0]), func(how api.PolicyEdit) (api.Organization, error) {
				if care.undo {
					return c.UndoOrganizationEdit(cmd.Context(), given[0], how)
				}
				e.PolicyEdit = how
				return c.EditOrganization(cmd.Context(), given[0], e)
			}, func(o api.Organization) *berth.Effects { return o.Effects })
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(o)
			}
			switch {
			case care.dryRun:
				a.tell("Nothing was changed.")
			case care.undo:
				a.say("%s is as it was before its last edit", o.Name)
			default:
				a.say("%s is changed", o.Name)
			}
			return nil
		})
	}
	return cmd
}

// days are the days that a person lists, in words that the server knows; it says
// which it does not.
func days(given []string) []string {
	if len(given) == 1 {
		switch strings.ToLower(given[0]) {
		case "every", "all":
			return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
		case "none", "":
			return []string{}
		}
	}
	return given
}
