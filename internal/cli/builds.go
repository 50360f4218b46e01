package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) builds() *cobra.Command {
	return newGroup("builds", "Look at builds", a.buildsList(), a.buildsShow(), a.buildsAbandon())
}

func (a *app) buildsList() *cobra.Command {
	var q string
	var limit int
	cmd := &cobra.Command{
		Use:               "list [WORKSPACE]",
		Aliases:           []string{"ls"},
		Short:             "List builds, newest first",
		Example:           "  berth builds list web\n  berth builds list -q status:pending",
		Args:              args(0, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().StringVarP(&q, "query", "q", "", "only those that match, for example status:pending")
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			ctx := cmd.Context()
			page := func(l client.List) (api.Page[api.Build], error) { return c.Builds(ctx, l) }
			if len(given) > 0 {
				w, _, err := a.findOnly(ctx, c, given[0])
				if err != nil {
					return err
				}
				page = func(l client.List) (api.Page[api.Build], error) { return c.WorkspaceBuilds(ctx, w.ID, l) }
			}
			found, err := newest(limit, q, page)
			if err != nil {
				return err
			}
			return buildListing.print(a, *asJSON, found)
		})
	}
	return cmd
}

var buildListing = listing[api.Build]{
	none:   "No builds.",
	header: []string{"BUILD", "DOES", "STATUS", "NOTE", "BY", "CREATED", "ID"},
	row: func(b api.Build, now time.Time) []string {
		of := b.Workspace + " " + strconv.Itoa(b.Number)
		if b.LooksAt != "" {
			of = b.Workspace
		} else if b.Transition == string(berth.Import) {
			of = b.Template + "@" + b.Version
		}
		note := first(b.Waits, b.ErrorCode)
		if b.Unreachable {
			note = "its runner does not report"
		}
		return []string{of, b.Transition, b.Status, cell(note), cell(b.Initiator), ago(b.CreatedAt, now), b.ID}
	},
}

// findBuild gives the build that is named: an id, or a workspace and perhaps a number.
func (a *app) findBuild(ctx context.Context, c *client.Client, given []string) (api.Build, error) {
	if len(given) == 1 && berth.IsID(given[0]) {
		return c.Build(ctx, given[0])
	}
	w, _, err := a.findOnly(ctx, c, given[0])
	if err != nil || len(given) == 1 {
		return w.Build, err
	}
	n, err := strconv.Atoi(given[1])
	if err != nil || n < 1 {
		return api.Build{}, usagef("%q is not the number of a build", given[1])
	}
	return c.WorkspaceBuild(ctx, w.ID, n)
}

func (a *app) buildsShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show ID|WORKSPACE [NUMBER]",
		Short:             "Show a build",
		Example:           "  berth builds show web\n  berth builds show web 3 --json",
		Args:              args(1, 2),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			b, err := a.findBuild(cmd.Context(), c, given)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(b)
			}
			a.showBuild(b, time.Now())
			return nil
		})
	}
	return cmd
}

func (a *app) showBuild(b api.Build, now time.Time) {
	name := b.Template + ", version " + b.Version
	if b.Workspace != "" {
		a.field("build", fmt.Sprintf("%d of %s", b.Number, b.Workspace))
		a.field("template", name)
	} else {
		a.field("build", "import of "+name)
	}
	a.field("id", b.ID)
	a.field("does", b.Transition)
	a.field("status", b.Status)
	a.field("waits", cell(b.Waits))
	if b.Unreachable {
		a.field("runner", "does not report; it may still be running. berth builds abandon "+b.ID+" gives up on it")
	}
	a.field("by", fmt.Sprintf("%s (%s)", cell(b.Initiator), b.Reason))
	a.field("created", ago(b.CreatedAt, now))
	if b.StartedAt != nil && b.CompletedAt != nil {
		a.field("took", b.CompletedAt.Sub(*b.StartedAt).Round(10*time.Millisecond).String())
	}
	a.showParameters(b.Parameters)
	section(a, []string{"STAGE", "RESOURCE", "DID", "TOOK"}, b.Timings, func(t berth.Timing) []string {
		return []string{cell(t.Stage), cell(t.Resource), cell(t.Action), t.End.Sub(t.Start).Round(time.Millisecond).String()}
	})
	if b.Error != "" {
		a.say("")
		a.say("%s", clean(b.Error))
	}
}

func (a *app) buildsAbandon() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "abandon ID|WORKSPACE [NUMBER]",
		Short: "Give up on a build whose runner does not report any more",
		Long: `Give up on a build whose runner does not report any more, so that the workspace
can be built again. If its Terraform still runs somewhere, what it makes from
here on is known to nobody.`,
		Args:              args(1, 2),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				b, err := a.findBuild(cmd.Context(), c, given)
				if err != nil {
					return err
				}
				if err := a.confirm(cmd.Context(), yes, "Abandon "+buildName(b)+"?",
					"If its Terraform still runs somewhere, what it makes from here on is known to nobody."); err != nil {
					return err
				}
				if b, err = c.AbandonBuild(cmd.Context(), b.ID); err != nil {
					return err
				}
				a.say("%s is abandoned", buildName(b))
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
