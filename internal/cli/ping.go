package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) ping() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:               "ping WORKSPACE[.AGENT]",
		Short:             "Measure the way to a workspace's agent and back",
		Example:           "  berth ping web\n  berth ping web -n 5",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	cmd.Flags().IntVarP(&count, "count", "n", 1, "how many times, a second apart")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if count < 1 {
			return usagef("--count: give at least 1")
		}
		ctx := cmd.Context()
		return a.withAgent(ctx, given[0], func(c *client.Client, w api.Workspace, agent api.Agent, t target) error {
			var all []api.Ping
			for i := range count {
				if i > 0 {
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(time.Second):
					}
				}
				began := time.Now()
				p, err := c.Ping(ctx, w.ID, agent.Name)
				if err != nil {
					return err
				}
				all = append(all, p)
				if !*asJSON {
					a.say("%s answers in %s from here, %s from the server", t.with(agent.Name),
						time.Since(began).Round(10*time.Microsecond), time.Duration(p.Micros)*time.Microsecond)
				}
			}
			if *asJSON {
				return a.json(items(all))
			}
			return nil
		})
	}
	return cmd
}
