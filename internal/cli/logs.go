package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) logs() *cobra.Command {
	var build int
	var followIt bool
	var step string
	cmd := &cobra.Command{
		Use:   "logs WORKSPACE[.AGENT]",
		Short: "Print the log of a build, or of an agent's scripts",
		Long: `Print the log of a workspace's newest build, or of another with --build; with
.AGENT the log of that agent's scripts, and with --step the lines of one step of
its start alone; berth show lists the steps. -f stays until the build has ended (and
exits with 6 when it failed), or for as long as you like with an agent.`,
		Example:           "  berth logs web -f\n  berth logs web --build 3\n  berth logs web.main\n  berth logs web --step personalize",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().IntVarP(&build, "build", "b", 0, "`number` of the build (default the newest)")
	cmd.Flags().StringVar(&step, "step", "", "`name` of a step of the agent's start")
	cmd.MarkFlagsMutuallyExclusive("build", "step")
	cmd.Flags().BoolVarP(&followIt, "follow", "f", false, "go on with what comes")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withTarget(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			show := a.printLog
			if *asJSON {
				show = a.printJSON
			}
			if step != "" {
				if err := checkStep(w, t.agent, step); err != nil {
					return err
				}
				return a.agentLog(cmd.Context(), c, w, first(t.agent, client.OnlyAgent), followIt, onlyStep(step, show))
			}
			if t.agent != "" {
				return a.agentLog(cmd.Context(), c, w, t.agent, followIt, show)
			}
			b := w.Build
			if build > 0 {
				var err error
				if b, err = c.WorkspaceBuild(cmd.Context(), w.ID, build); err != nil {
					return err
				}
			}
			if followIt {
				return a.followLog(cmd.Context(), c, b, show)
			}
			return a.buildLog(cmd.Context(), c, b.ID, show)
		})
	}
	return cmd
}

func (a *app) printLog(l berth.Log) error {
	text := clean(l.Text)
	switch l.Level {
	case "error", "warn":
		text = a.look.warn(text)
	case "trace", "debug":
		text = a.look.off(text)
	}
	_, err := fmt.Fprintf(a.out, "%s %s\n", a.look.off(l.At.Local().Format("15:04:05")), text)
	return err
}

// printJSON prints a line as one JSON object.
func (a *app) printJSON(l berth.Log) error { return json.NewEncoder(a.out).Encode(l) }

// buildLog prints what there is now.
func (a *app) buildLog(ctx context.Context, c *client.Client, id string, show func(berth.Log) error) error {
	for after := ""; ; {
		got, err := c.BuildLogs(ctx, id, after, 0)
		if err != nil {
			return err
		}
		for _, l := range got.Lines {
			if err := show(l); err != nil {
				return err
			}
			after = strconv.FormatInt(l.Seq, 10)
		}
		if len(got.Lines) == 0 || got.Next == "" {
			return nil
		}
	}
}

// followLog prints a build's log until the build has ended.
func (a *app) followLog(ctx context.Context, c *client.Client, b api.Build, show func(berth.Log) error) error {
	for e, err := range c.WatchBuild(ctx, b.ID, 0) {
		switch {
		case err != nil:
			return err
		case e.Build != nil:
			b = *e.Build
		case e.Log != nil:
			if err := show(*e.Log); err != nil {
				return err
			}
		}
	}
	if b.Status == string(berth.BuildFailed) || b.Status == string(berth.BuildCanceled) {
		return badBuild{b}
	}
	return nil
}

// agentLog prints the log of an agent's scripts. A page without a Next is
// asked for again, for what was added to it.
func (a *app) agentLog(ctx context.Context, c *client.Client, w api.Workspace, agent string, followIt bool, show func(berth.Log) error) error {
	after, seen := "", 0
	for {
		got, err := c.WorkspaceAgentLogs(ctx, w.ID, agent, after)
		if err != nil {
			return err
		}
		for _, l := range got.Lines[min(seen, len(got.Lines)):] {
			if err := show(l); err != nil {
				return err
			}
		}
		if got.Next != "" && got.Next != after {
			after, seen = got.Next, 0
			continue
		}
		seen = max(seen, len(got.Lines))
		if !followIt {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
