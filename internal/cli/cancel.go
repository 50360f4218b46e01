package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) cancel() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "cancel WORKSPACE",
		Short: "Cancel what is being done to a workspace",
		Long: `Cancel the newest build of a workspace: at once while it waits; while it runs
Terraform is interrupted, ends the step that it is at, and its state is kept.`,
		Example:           "  berth cancel web",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				b, err := c.CancelBuild(cmd.Context(), w.Build.ID, api.CancelBuild{Force: force})
				if err != nil {
					return err
				}
				if b.Status == string(berth.BuildCanceled) {
					a.say("build %d of %s is canceled", b.Number, t)
					return nil
				}
				a.say("build %d of %s is being canceled", b.Number, t)
				a.tell("  watch it: berth logs %s --build %d -f", t, b.Number)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "kill Terraform instead of interrupting it; what it was making may be left behind")
	return cmd
}
