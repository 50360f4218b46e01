package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) dormancy() *cobra.Command {
	cmd := newGroup("dormancy", "Put workspaces to sleep and wake them", a.dormancyShow(), a.dormancySleep(), a.dormancyWake())
	cmd.Long = `A dormant workspace is stopped, and nothing starts it: no schedule, no connection
and no person, until somebody wakes it. Templates may have workspaces that nobody
uses fall asleep, and be deleted some time later.`
	return cmd
}

func (a *app) dormancyShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show WORKSPACE", Short: "Tell whether a workspace is dormant", Example: "  berth dormancy show web",
		Args: args(1, 1), ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(_ *client.Client, w api.Workspace, t target) error {
			if *asJSON {
				return a.json(w.Ahead)
			}
			now := time.Now()
			if w.DormantAt == nil {
				a.say("%s is awake; it was last used %s", t, agoPtr(w.LastUsedAt, now))
				return nil
			}
			a.say("%s", asleep(w, t, now))
			return nil
		})
	}
	return cmd
}

// asleep says that a workspace is dormant, and what comes of it.
func asleep(w api.Workspace, t target, now time.Time) string {
	return t.String() + " is dormant " + asleepWords(w.Ahead, t, now)
}

func (a *app) dormancySleep() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "sleep WORKSPACE",
		Short: "Make a workspace dormant",
		Long: `Make a workspace dormant. It is stopped if it may run, and nothing starts it
until it is woken. Where its template has dormant workspaces deleted, this one is
too: the answer says when.`,
		Example: "  berth dormancy sleep web",
		Args:    args(1, 1), ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			if err := a.agreeSleep(cmd.Context(), c, w, t, yes); err != nil {
				return err
			}
			w, err := c.SleepWorkspace(cmd.Context(), w.ID, api.Sleep{Reason: string(berth.ReasonCLI)})
			if err != nil {
				return err
			}
			a.say("%s", asleep(w, t, time.Now()))
			return nil
		})
	}
	return cmd
}

// agreeSleep asks before a workspace that is in use is stopped.
func (a *app) agreeSleep(ctx context.Context, c *client.Client, w api.Workspace, t target, yes bool) error {
	if w.Status != string(berth.StatusRunning) || yes {
		return nil
	}
	refresh(ctx, c, &w)
	if w.Activity == nil || !w.Activity.Awake {
		return nil
	}
	return a.confirm(ctx, false, "Stop "+t.String()+" and make it dormant?", t.String()+" is in use: "+awake(*w.Activity, time.Now())+".")
}

func (a *app) dormancyWake() *cobra.Command {
	return &cobra.Command{
		Use:     "wake WORKSPACE",
		Short:   "Wake a dormant workspace",
		Long:    "Wake a dormant workspace. It stays stopped: start it with berth start.",
		Example: "  berth dormancy wake web && berth start web",
		Args:    args(1, 1), ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				if w.DormantAt == nil {
					a.say("%s is awake already", t)
					return nil
				}
				if _, err := c.WakeWorkspace(cmd.Context(), w.ID); err != nil {
					return err
				}
				a.say("%s is awake; start it with: berth start %s", t, t)
				return nil
			})
		},
	}
}
