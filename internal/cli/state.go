package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) state() *cobra.Command {
	return newGroup("state", "The Terraform state of a workspace; wants the right to change its template",
		a.statePull(), a.statePush(), a.stateVersions(), a.stateRestore())
}

func (a *app) statePull() *cobra.Command {
	return &cobra.Command{
		Use:               "pull WORKSPACE",
		Short:             "Print the current state; it holds secrets",
		Example:           "  berth state pull web > web.tfstate",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, _ target) error {
				state, err := c.State(cmd.Context(), w.ID)
				if err != nil {
					return err
				}
				_, err = a.out.Write(state)
				return err
			})
		},
	}
}

func (a *app) statePush() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "push WORKSPACE FILE",
		Short: "Replace the state by the one in a file, or in standard input with -",
		Long: `Replace the state of a workspace. The new one has the lineage of the old one and
the next serial. The old one is kept; the next build is judged as if every
resource in the new one were persistent.`,
		Example: "  berth state push web web.tfstate",
		Args:    args(2, 2),
		ValidArgsFunction: func(cmd *cobra.Command, given []string, part string) ([]string, cobra.ShellCompDirective) {
			if len(given) == 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return a.workspaceNames(cmd, given, part)
		},
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		read := func() ([]byte, error) { return os.ReadFile(given[1]) }
		if given[1] == "-" {
			read = func() ([]byte, error) { return io.ReadAll(a.in) }
		}
		state, err := read()
		if err != nil {
			return usagef("reading the state: %v", err)
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			r, err := c.PushState(cmd.Context(), w.ID, state)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(r)
			}
			a.say("%s has the state with serial %d", t, r.Serial)
			return nil
		})
	}
	return cmd
}

func (a *app) stateVersions() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "versions WORKSPACE",
		Short:             "List the kept revisions of the state, newest first",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, _ target) error {
			found, err := collect(client.List{}, func(l client.List) (api.Page[api.StateRevision], error) {
				return c.StateRevisions(cmd.Context(), w.ID, l)
			})
			if err != nil {
				return err
			}
			return stateListing.print(a, *asJSON, found)
		})
	}
	return cmd
}

func (a *app) stateRestore() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore WORKSPACE REVISION",
		Short: "Make a kept revision the current state again",
		Long: `Make a kept revision the current state again; berth state versions lists them.
The present one is kept too. What was made since that revision is not in the state
any more and stays where it is: berth drift tells what the state has and is not
there, nothing tells of what is there and not in the state.`,
		Example:           "  berth state versions web\n  berth state restore web 12",
		Args:              args(2, 2),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		revision, err := strconv.ParseInt(given[1], 10, 64)
		if err != nil || revision < 1 {
			return usagef("%q is not the number of a revision: berth state versions %s lists them", given[1], given[0])
		}
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Restore revision %d of the state of %s?", revision, t), "What was made since then is not in the state any more, and stays where it is."); err != nil {
				return err
			}
			r, err := c.RestoreState(cmd.Context(), w.ID, revision)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(r)
			}
			a.say("%s has revision %d again, as serial %d; the one before is kept", t, revision, r.Serial)
			return nil
		})
	}
	return cmd
}

var stateListing = listing[api.StateRevision]{
	none:   "There is no state yet.",
	header: []string{"REVISION", "SERIAL", "", "BY", "BYTES", "CREATED", "LINEAGE"},
	row: func(r api.StateRevision, now time.Time) []string {
		by, current := cell(r.CreatedBy), ""
		if r.Build > 0 {
			by = "build " + strconv.Itoa(r.Build)
		}
		if r.Current {
			current = "current"
		}
		return []string{strconv.FormatInt(r.ID, 10), strconv.FormatInt(r.Serial, 10), current, by, strconv.Itoa(r.Size), ago(r.CreatedAt, now), cell(r.Lineage)}
	},
}
