package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) tokens() *cobra.Command {
	return newGroup("tokens", "Tokens with which programs act as you", a.tokensCreate(), a.tokensList(), a.tokensRemove())
}

func (a *app) tokensCreate() *cobra.Command {
	var lifetime time.Duration
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Make a token and print it, once",
		Example: "  export BERTH_TOKEN=$(berth tokens create ci --lifetime 24h)",
		Args:    args(1, 1),
	}
	cmd.Flags().DurationVar(&lifetime, "lifetime", 0, "how long it is good for (default 7 days)")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if lifetime < 0 || lifetime > 0 && lifetime < time.Second {
			return usagef("--lifetime: give at least a second, for example 24h")
		}
		return a.withClient(func(c *client.Client) error {
			t, err := c.CreateToken(cmd.Context(), api.CreateToken{Name: given[0], Lifetime: int(lifetime / time.Second)})
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(t)
			}
			a.say("%s", t.Secret)
			a.tell("Good until %s. It is not shown again.", t.ExpiresAt.Local().Format("2 Jan 2006 15:04"))
			return nil
		})
	}
	return cmd
}

func (a *app) tokensList() *cobra.Command {
	return listCommand(a, "List your logins and tokens", (*client.Client).Tokens, listing[api.Token]{
		none:   "You have no tokens; make one with: berth tokens create NAME",
		header: []string{"NAME", "KIND", "CREATED", "USED", "ENDS", "ID"},
		row: func(t api.Token, now time.Time) []string {
			return []string{cell(t.Name), t.Kind, ago(t.CreatedAt, now), agoPtr(t.LastUsedAt, now), ago(t.ExpiresAt, now), t.ID}
		},
	})
}

func (a *app) tokensRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME|ID",
		Aliases: []string{"rm"},
		Short:   "End a token",
		Args:    args(1, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				if err := c.RemoveToken(cmd.Context(), given[0]); err != nil {
					return err
				}
				a.say("%s is removed", given[0])
				return nil
			})
		},
	}
}
