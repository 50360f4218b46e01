package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) tokens() *cobra.Command {
	return newGroup("tokens", "Tokens with which programs act as you", a.tokensCreate(), a.tokensList(), a.tokensUses(), a.tokensRemove())
}

// userOf gives cmd the flag --user, for owners of the site.
func (a *app) userOf(cmd *cobra.Command) *string {
	user := cmd.Flags().String("user", "", "of this `user` instead of yours; for owners of the site")
	_ = cmd.RegisterFlagCompletionFunc("user", a.userFlag)
	return user
}

func (a *app) tokensCreate() *cobra.Command {
	var lifetime time.Duration
	var scopes []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print it, once",
		Long: `Make a token for a program and print it, once.

--scope narrows what the program may do at most:
  all      everything that you may (the default)
  read     read everything but what is yours alone
  connect  enter workspaces and their apps
or a kind of thing and an action, of which one may be *: workspace:start,
template:*. Several scopes add up. A token never makes one that may do more.`,
		Example: `  export BERTH_TOKEN=$(berth tokens create ci --lifetime 24h)
  berth tokens create dashboard --scope read --lifetime 2160h
  berth tokens create nightly --scope workspace:read --scope workspace:start
  berth tokens create deploy --user ci`,
		Args: args(1, 1),
	}
	cmd.Flags().DurationVar(&lifetime, "lifetime", 0, "how long it is good for (default 7 days)")
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "what it may do at most: all, read, connect, KIND:ACTION; may be given several times")
	completeWords(cmd, "scope", []string{"all", "read", "connect"})
	user := a.userOf(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if lifetime < 0 || lifetime > 0 && lifetime < time.Second {
			return usagef("--lifetime: give at least a second, for example 24h")
		}
		return a.withClient(func(c *client.Client) error {
			t, err := c.CreateToken(cmd.Context(), api.CreateToken{Name: given[0], Lifetime: int(lifetime / time.Second), Scopes: scopes, User: *user})
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
	var user *string
	cmd := a.listCommand("List your logins and tokens", func(ctx context.Context, c *client.Client, asJSON bool) error {
		p, err := c.Tokens(ctx, *user)
		if err != nil {
			return err
		}
		return tokenListing.print(a, asJSON, p.Items)
	})
	cmd.Example = "  berth tokens list\n  berth tokens list --user ci --json"
	user = a.userOf(cmd)
	return cmd
}

var tokenListing = listing[api.Token]{
	none:   "There are no tokens; make one with: berth tokens create NAME",
	header: []string{"NAME", "KIND", "SCOPES", "CREATED", "USED", "ENDS", "ID"},
	row: func(t api.Token, now time.Time) []string {
		return []string{cell(t.Name), t.Kind, cell(strings.Join(t.Scopes, " ")), ago(t.CreatedAt, now), agoPtr(t.LastUsedAt, now), ago(t.ExpiresAt, now), t.ID}
	},
}

func (a *app) tokensUses() *cobra.Command {
	var user *string
	cmd := &cobra.Command{
		Use:   "uses [ID]",
		Short: "Show from where your logins and tokens were used",
		Long: `Show from where your logins and tokens were used, the newest use first; with an id,
that one alone. Uses are kept for half a year, also when the token is gone.`,
		Example: "  berth tokens uses\n  berth tokens uses 0190b8c4-7c1e-7d4c-8f0a-1f2e3d4c5b6a --user ana",
		Args:    args(0, 1),
	}
	user = a.userOf(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		token := ""
		if len(given) > 0 {
			token = given[0]
		}
		return a.withClient(func(c *client.Client) error {
			p, err := c.TokenUses(cmd.Context(), first(*user, "me"), token)
			if err != nil {
				return err
			}
			return useListing.print(a, *asJSON, p.Items)
		})
	}
	return cmd
}

var useListing = listing[api.TokenUse]{
	none:   "Nothing was used.",
	header: []string{"ADDRESS", "PROGRAM", "FIRST", "LAST", "TOKEN"},
	row: func(u api.TokenUse, now time.Time) []string {
		return []string{cell(u.Address), short(cell(u.UserAgent), 50), ago(u.FirstAt, now), ago(u.LastAt, now), u.Token}
	},
}

func (a *app) tokensRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove NAME|ID",
		Aliases: []string{"rm"},
		Short:   "End a token",
		Example: "  berth tokens remove ci\n  berth tokens remove deploy --user ci",
		Args:    args(1, 1),
	}
	user := a.userOf(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			if err := c.RemoveToken(cmd.Context(), *user, given[0]); err != nil {
				return err
			}
			a.say("%s is removed", given[0])
			return nil
		})
	}
	return cmd
}
