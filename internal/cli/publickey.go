package cli

import (
	"github.com/spf13/cobra"

	"github.com/berthdev/berth/client"
)

func (a *app) publickey() *cobra.Command {
	var regenerate, yes bool
	cmd := &cobra.Command{
		Use:   "publickey",
		Short: "Print the SSH key that your workspaces act with",
		Long: `Print the public half of the SSH key pair that git and ssh in your workspaces act
with. Give it to the git hosts that you use. The private half never leaves Berth
but for your own workspaces.`,
		Example: "  berth publickey\n  berth publickey --regenerate",
		Args:    args(0, 0),
	}
	cmd.Flags().BoolVar(&regenerate, "regenerate", false, "make a new pair and forget the old one")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			read := c.SSHKey
			if regenerate {
				if err := a.confirm(cmd.Context(), yes, "Make a new SSH key?", "The old one stops working everywhere that you gave it to."); err != nil {
					return err
				}
				read = c.RegenerateSSHKey
			}
			k, err := read(cmd.Context())
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(k)
			}
			a.say("%s", cell(k.PublicKey))
			if regenerate {
				a.tell("This is a new key (%s): give it to your git hosts. Workspaces that are running have it in a moment.", cell(k.Fingerprint))
			}
			return nil
		})
	}
	return cmd
}
