package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) favorite() *cobra.Command {
	return &cobra.Command{
		Use:   "favorite WORKSPACE",
		Short: "List a workspace before the others",
		Long: `List a workspace before the others. The mark is yours: nobody else sees it, and
nothing of the workspace changes.`,
		Example: "  berth favorite web\n  berth list -q favorite:true --all",
		Args:    args(1, 1), ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				if err := c.AddFavorite(cmd.Context(), w.ID); err != nil {
					return err
				}
				a.say("%s is one of your favorites", t)
				return nil
			})
		},
	}
}

func (a *app) unfavorite() *cobra.Command {
	return &cobra.Command{
		Use: "unfavorite WORKSPACE", Short: "List a workspace among the others again", Example: "  berth unfavorite web",
		Args: args(1, 1), ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				if err := c.RemoveFavorite(cmd.Context(), w.ID); err != nil {
					return err
				}
				a.say("%s is not one of your favorites any more", t)
				return nil
			})
		},
	}
}
