package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) delete() *cobra.Command {
	var yes, noWait, orphan bool
	cmd := &cobra.Command{
		Use:     "delete WORKSPACE",
		Aliases: []string{"rm"},
		Short:   "Delete a workspace and everything that was made for it",
		Long: `Delete a workspace and everything that was made for it, its home too.

--orphan forgets the workspace and leaves alone what was made for it, for when
Terraform cannot remove it. It wants the right to change the template.`,
		Example:           "  berth delete web\n  berth delete web -y --no-wait",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				consequence := fmt.Sprintf("%s/%s goes with everything in it, its home too.", w.Owner, w.Name)
				if orphan {
					consequence = fmt.Sprintf("%s/%s is forgotten; what was made for it stays where it is.", w.Owner, w.Name)
				}
				if err := a.confirm(cmd.Context(), yes, fmt.Sprintf("Delete %s?", t), consequence); err != nil {
					return err
				}
				return a.run(cmd.Context(), c, w, t, api.CreateBuild{Transition: string(berth.Delete), Orphan: orphan}, !noWait)
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the end")
	cmd.Flags().BoolVar(&orphan, "orphan", false, "leave alone what was made for it")
	return cmd
}
