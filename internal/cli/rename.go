package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) rename() *cobra.Command {
	return &cobra.Command{
		Use:   "rename WORKSPACE NAME",
		Short: "Give a workspace another name",
		Long: `Give a workspace another name. Its template learns it at the next start; one
that would replace something persistent because of it is refused then.`,
		Example:           "  berth rename web site",
		Args:              args(2, 2),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := berth.ValidateName("name", given[1]); err != nil {
				return err
			}
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				if _, err := c.EditWorkspace(cmd.Context(), w.ID, api.EditWorkspace{Name: &given[1]}); err != nil {
					return err
				}
				a.say("%s is now %s", t, given[1])
				return nil
			})
		},
	}
}
