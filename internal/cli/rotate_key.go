package cli

import "github.com/spf13/cobra"

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
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			w, t, err := a.findOnly(cmd.Context(), c, given[0])
			if err != nil {
				return err
			}
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
		},
	}
	return cmd
}
