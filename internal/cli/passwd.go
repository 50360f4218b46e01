package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) passwd() *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use:   "passwd",
		Short: "Change your password",
		Long: `Change your password. All your other logins end; tokens for programs stay.

It asks on the terminal. --password-stdin reads two lines from standard input: the
password until now, and the new one.`,
		Example: "  berth passwd\n  printf '%s\\n' \"$OLD\" \"$NEW\" | berth passwd --password-stdin",
		Args:    args(0, 0),
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read both passwords from standard input, a line each")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			if !stdin {
				current, err := a.readPassword("Password until now: ")
				if err != nil {
					return err
				}
				return a.askNewPassword(cmd.Context(), c, current)
			}
			text, err := a.passwordFromStdin()
			if err != nil {
				return err
			}
			current, password, two := strings.Cut(text, "\n")
			if !two {
				return usagef("--password-stdin wants two lines: the password until now, and the new one")
			}
			if err := c.ChangePassword(cmd.Context(), api.ChangePassword{Current: strings.TrimRight(current, "\r"), Password: password}); err != nil {
				return err
			}
			a.say("Your password is changed.")
			return nil
		})
	}
	return cmd
}

// askNewPassword asks for a new password until the server takes it.
func (a *app) askNewPassword(ctx context.Context, c *client.Client, current string) error {
	for {
		p, err := a.readTwice("New password: ")
		if err != nil {
			return err
		}
		err = c.ChangePassword(ctx, api.ChangePassword{Current: current, Password: p})
		var e *berth.Error
		if errors.As(err, &e) && e.Code == berth.Invalid && e.Field == "password" {
			a.tell("%s", clean(e.Message))
			continue
		}
		if err == nil {
			a.say("Your password is changed.")
		}
		return err
	}
}

// readTwice asks for a new password until both answers are the same.
func (a *app) readTwice(prompt string) (string, error) {
	for {
		p, err := a.readPassword(prompt)
		if err != nil {
			return "", err
		}
		if err := berth.ValidatePassword("password", p); err != nil {
			a.tell("%s", berth.ErrorMessage(err))
			continue
		}
		again, err := a.readPassword("Again: ")
		if err != nil {
			return "", err
		}
		if p == again {
			return p, nil
		}
		a.tell("These were two different passwords.")
	}
}

// changeFirst has a password changed that the server wants changed before
// anything else.
func (a *app) changeFirst(ctx context.Context, l login, current string) error {
	if !a.canAsk() {
		a.tell("Your password has to be changed before anything else: berth passwd")
		return nil
	}
	a.tell("Your password has to be changed before anything else.")
	c, err := a.dial(l)
	if err != nil {
		return err
	}
	defer c.Close()
	return a.askNewPassword(ctx, c, current)
}
