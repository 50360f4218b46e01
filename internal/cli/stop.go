package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
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
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			w, t, err := a.findOnly(cmd.Context(), c, given[0])
			if err != nil {
				return err
			}
			return a.run(cmd.Context(), c, w, t, api.CreateBuild{Transition: string(berth.Stop)}, !noWait)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "ask nothing (as it does anyway)")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the end")
	return cmd
}
