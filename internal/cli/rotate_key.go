package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) rotateKey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate-key WORKSPACE",
		Short: "Change the key of a workspace's agents",
		Long: `Change the key that the tokens of a workspace's agents are made from, for
example because one may have been stolen. Agents that run go on with the tokens
that they have; the next start gives them others, and the old ones are refused.`,
		Example:           "  berth rotate-key web && berth restart web",
		Args:              args(1, 1),
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withWorkspace(cmd.Context(), given[0], func(c *client.Client, w api.Workspace, t target) error {
				key, err := c.RotateAgentKey(cmd.Context(), w.ID)
				if err != nil {
					return err
				}
				if key.Waits {
					a.say("the next start of %s gives its agents new tokens; until then the old ones count: berth restart %s", t, t)
				} else {
					a.say("the next start of %s gives its agents new tokens", t)
				}
				return nil
			})
		},
	}
	return cmd
}
