package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) drift() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drift WORKSPACE",
		Short: "Tell what somebody changed or removed outside of Berth",
		Long: `Compare what a workspace is made of with its Terraform state, and tell what differs.
Nothing is changed, neither of the two: the next start or stop brings it back to
what the template says. It waits until no build of the workspace is under way.`,
		Example:           "  berth drift web\n  berth drift web --json",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
			b, err := c.LookAtWorkspace(cmd.Context(), w.ID)
			if err != nil {
				return err
			}
			if _, err = a.follow(cmd.Context(), c, b, t.String()); err != nil {
				return err
			}
			if b, err = c.Build(cmd.Context(), b.ID); err != nil {
				return err
			}
			if *asJSON {
				return a.json(b.Drift)
			}
			if b.Drift == nil || len(*b.Drift) == 0 {
				a.say("%s is as its state has it", t)
				return nil
			}
			for _, d := range *b.Drift {
				a.say("%s", d)
			}
			return nil
		})
	}
	return cmd
}
