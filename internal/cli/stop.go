package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) stop() *cobra.Command {
	var yes, noWait bool
	cmd := &cobra.Command{
		Use:               "stop WORKSPACE",
		Short:             "Stop a workspace; what is persistent stays",
		Example:           "  berth stop web",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				return a.run(cmd.Context(), c, w, t, api.CreateBuild{Transition: string(berth.Stop)}, !noWait)
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "ask nothing (as it does anyway)")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the end")
	return cmd
}
