package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// starting is what start, restart and update share.
type starting struct {
	answers answers
	in      api.CreateBuild
	always  bool
	yes     bool
	noWait  bool
}

func (s *starting) flags(cmd *cobra.Command) {
	s.answers.flags(cmd)
	s.answers.onceFlag(cmd)
	f := cmd.Flags()
	f.BoolVar(&s.always, "always-prompt", false, "ask every question again")
	f.StringVar(&s.in.Preset, "preset", "", "take the answers of this preset")
	f.StringArrayVar(&s.in.AllowDestroy, "allow-destroy", nil, "let this build destroy the persistent resource at `address`, with all that is in it; may be repeated")
	f.BoolVarP(&s.yes, "yes", "y", false, "ask nothing")
	f.BoolVar(&s.noWait, "no-wait", false, "do not wait for the end")
}

func (a *app) start() *cobra.Command {
	var s starting
	var version string
	cmd := &cobra.Command{
		Use:   "start WORKSPACE",
		Short: "Start a workspace",
		Long: `Start a workspace on the version that it has. One that is running already is
brought to what its template says again, which starts what has died.`,
		Example:           "  berth start web\n  berth start web --parameter cpus=8",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			s.in.Transition, s.in.Version = string(berth.Start), version
			return a.begin(cmd.Context(), given[0], s, func(ctx context.Context, c *client.Client, w api.Workspace, _ target) (bool, error) {
				err := a.foretell(ctx, c, w, s, false)
				return err == nil, err
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&version, "template-version", "", "`version` of the template (default the workspace's)")
	return cmd
}

func (a *app) restart() *cobra.Command {
	var s starting
	cmd := &cobra.Command{
		Use:   "restart WORKSPACE",
		Short: "Stop a workspace and start it again",
		Long: `Stop a workspace and start it again, in one go: nothing comes between the two,
and the start follows also when you or the server are gone by then. Canceling
the stop cancels the start with it.`,
		Example:           "  berth restart web\n  berth restart web --parameter cpus=8",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			s.in.Transition = string(berth.Restart)
			return a.begin(cmd.Context(), given[0], s, func(ctx context.Context, c *client.Client, w api.Workspace, _ target) (bool, error) {
				err := a.foretell(ctx, c, w, s, true)
				return err == nil, err
			})
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) update() *cobra.Command {
	var s starting
	var dryRun bool
	var asJSON *bool
	cmd := &cobra.Command{
		Use:   "update WORKSPACE",
		Short: "Bring a workspace to the active version of its template",
		Long: `Bring a workspace to the active version of its template: stop it where it runs,
and start it on that version. Nothing comes between the two, so an editor that
connects again does not start the old version. On a terminal it asks new
questions, and those whose answer does not hold any more.

With --dry-run nothing is done; it shows the versions between, what they change,
what would be asked, and what that costs.`,
		Example:           "  berth update web --dry-run\n  berth update web\n  berth update web --always-prompt\n  berth update web --parameter disk=50",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			if dryRun {
				return a.previewUpdate(cmd.Context(), given[0], *asJSON)
			}
			if *asJSON {
				return usagef("--json goes with --dry-run")
			}
			s.in.Transition, s.in.Update = string(berth.Restart), true
			asked := s.always || s.answers.any() || s.in.Preset != "" || len(s.in.AllowDestroy) > 0
			return a.begin(cmd.Context(), given[0], s, func(ctx context.Context, c *client.Client, w api.Workspace, t target) (bool, error) {
				if w.Status == string(berth.StatusRunning) && !w.Outdated && !asked {
					a.say("%s is up to date", t)
					return false, nil
				}
				a.tellUpdate(ctx, c, w)
				err := a.foretell(ctx, c, w, s, true)
				return err == nil, err
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "do nothing; show what would change")
	asJSON = jsonFlag(cmd)
	return cmd
}

// begin queues what ends with a start. Before is done after the questions; false
// ends it well.
func (a *app) begin(ctx context.Context, name string, s starting, before func(context.Context, *client.Client, api.Workspace, target) (bool, error)) error {
	given, err := s.answers.values()
	if err != nil {
		return err
	}
	return a.withWorkspace(ctx, name, func(c *client.Client, w api.Workspace, t target) error {
		if s.always && !a.canAsk() {
			return usagef("--always-prompt wants a terminal; give the answers with --parameter")
		}
		if err := a.askBuild(ctx, c, w, s, given, a.canAsk() && !s.yes); err != nil {
			return err
		}
		if on, err := before(ctx, c, w, t); err != nil || !on {
			return err
		}
		s.in.Parameters = given
		return a.run(ctx, c, w, t, s.in, !s.noWait)
	})
}

// askBuild finds what a start needs, into given: on a terminal everything with
// --always-prompt, else what is new on an update and what lacks an answer that
// holds; elsewhere what flags propose.
func (a *app) askBuild(ctx context.Context, c *client.Client, w api.Workspace, s starting, given map[string]string, ask bool) error {
	offers, once, err := s.answers.others()
	if err != nil || !ask && len(offers)+len(once) == 0 {
		return err
	}
	version := first(s.in.Version, w.Build.VersionID)
	if s.in.Update {
		version = "active"
	}
	f := formOf(c, w.Organization, w.TemplateID, version, api.AskParameters{Workspace: w.ID, Preset: s.in.Preset}, given)
	f.offers, f.all, f.fresh = offers, s.always, s.in.Update
	if err := f.once(ctx, once); err != nil {
		return err
	}
	if !ask {
		return a.offer(ctx, f)
	}
	if err := a.askForm(ctx, f); err != nil && !unseen(err) {
		return err
	}
	if s.in.Update {
		a.tellAnswers(w.Build.Parameters, given)
	}
	return nil
}
