package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// userCommand makes a command that does one thing to a user.
func (a *app) userCommand(use, short, long, example string, do func(ctx context.Context, c *client.Client, user string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " USER", Short: short, Long: long, Example: example, Args: args(1, 1), ValidArgsFunction: a.userNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error { return do(cmd.Context(), c, given[0]) })
		},
	}
}

func (a *app) usersSuspend() *cobra.Command {
	return a.userCommand("suspend", "Shut a user out and stop their workspaces",
		`Shut a user out. Their logins and tokens end for good, with every connection that
is open by them; nobody enters their workspaces any more, and those that run are
stopped. What is in the workspaces stays.`,
		"  berth users suspend eve",
		func(ctx context.Context, c *client.Client, user string) error {
			u, err := c.SuspendUser(ctx, user)
			if err == nil {
				a.say("%s is suspended; running workspaces are being stopped", u.Username)
			}
			return err
		})
}

func (a *app) usersActivate() *cobra.Command {
	return a.userCommand("activate", "Let a user in again",
		"Let a suspended or dormant user in again. They sign in anew, and start their\nworkspaces by themselves.",
		"  berth users activate eve",
		func(ctx context.Context, c *client.Client, user string) error {
			u, err := c.ActivateUser(ctx, user)
			if err == nil {
				a.say("%s is active", u.Username)
			}
			return err
		})
}

func (a *app) usersDelete() *cobra.Command {
	var yes bool
	cmd := a.userCommand("delete", "Delete a user",
		`Delete a user and all that was theirs alone: memberships, tokens, secrets, keys,
sign-ins. It is refused while they own workspaces. The record of what they did
stays; their names are free for others.`,
		"  berth users delete eve\n  berth users delete eve -y",
		func(ctx context.Context, c *client.Client, user string) error {
			if err := a.confirm(ctx, yes, fmt.Sprintf("Delete %s?", user), "Their tokens, secrets and keys go with them."); err != nil {
				return err
			}
			if err := c.DeleteUser(ctx, user); err != nil {
				return err
			}
			a.say("%s is deleted", user)
			return nil
		})
	cmd.Aliases = []string{"rm"}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) usersResetPassword() *cobra.Command {
	return a.userCommand("reset-password", "Give a user a new password and print it, once",
		`Give a user a new password and print it, once. They have to change it at their
next sign-in, and all their logins end. Tokens for programs stay: 'berth users
logout' ends those too.`,
		"  berth users reset-password ana",
		func(ctx context.Context, c *client.Client, user string) error {
			p, err := c.ResetPassword(ctx, user)
			if err != nil {
				return err
			}
			a.say("%s", p.Password)
			a.tell("This is the password of %s until their next sign-in. It is not shown again.", user)
			return nil
		})
}

func (a *app) usersLogout() *cobra.Command {
	return a.userCommand("logout", "End all logins and tokens of a user",
		`End all logins and tokens of a user, for the day on which one was stolen. You may
do so for yourself, with 'berth users logout me', and owners of the site for
everybody. 'berth tokens uses' shows from where they were used.`,
		"  berth users logout me\n  berth users logout ana",
		func(ctx context.Context, c *client.Client, user string) error {
			var ended api.EndedTokens
			ended, err := c.RemoveTokens(ctx, user)
			if err == nil {
				a.say("%s ended", count(ended.Ended, "login or token", "logins and tokens"))
			}
			return err
		})
}

// count is a number of things in words.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
