package cli

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) externalAuth() *cobra.Command {
	return newGroup("external-auth", "Your sign-ins to external services", a.externalList(), a.externalLogin(), a.externalRevoke())
}

func (a *app) externalList() *cobra.Command {
	return listCommand(a, "List the external services, and where you are signed in", (*client.Client).ExternalAuths, listing[api.ExternalAuth]{
		none:   "This server offers no external services; an administrator adds them with --external-auth.",
		header: []string{"ID", "NAME", "STATE", "ACCOUNT", "SINCE"},
		row: func(e api.ExternalAuth, now time.Time) []string {
			state := "not signed in"
			switch {
			case e.Refused != "":
				state = "sign in again"
			case e.Linked:
				state = "signed in"
			}
			return []string{cell(e.ID), cell(e.Name), state, cell(e.Account), agoPtr(e.LinkedAt, now)}
		},
	})
}

func (a *app) externalLogin() *cobra.Command {
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "login ID",
		Short: "Sign in to an external service",
		Long: `Sign in to an external service, so that git in your workspaces has access to it.

It prints an address for your browser, and opens it where there is one. When you
have signed in there the browser shows a code: type it here.`,
		Example: "  berth external-auth login github",
		Args:    args(1, 1),
	}
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "only print the address")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			begun, err := c.BeginExternal(cmd.Context(), given[0])
			if err != nil {
				return err
			}
			a.tell("Open this address in your browser:\n\n  %s\n", clean(begun.URL))
			if a.canAsk() && !noBrowser {
				openBrowser(begun.URL)
			}
			return a.finishExternal(cmd.Context(), c, given[0], begun)
		})
	}
	return cmd
}

// finishExternal asks for the code until it is right.
func (a *app) finishExternal(ctx context.Context, c *client.Client, id string, begun api.BegunExternal) error {
	err := a.askCode(ctx, func(code string) error {
		return c.FinishExternal(ctx, id, api.FinishExternal{Attempt: begun.Attempt, Code: code})
	})
	if err == nil {
		a.say("You are signed in to %s.", cell(id))
	}
	return err
}

func (a *app) externalRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Aliases: []string{"logout"}, Short: "Sign out of an external service", Args: args(1, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.withClient(func(c *client.Client) error {
				r, err := c.RevokeExternal(cmd.Context(), given[0])
				if err != nil {
					return err
				}
				a.say("You are signed out of %s.", cell(given[0]))
				if !r.Told {
					a.tell("The service could not be told: remove Berth from the applications of your account there too.")
				}
				return nil
			})
		},
	}
}

// openBrowser tries to; the address is printed anyway.
func openBrowser(address string) {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return // only what a browser is for
	}
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	if cmd := exec.Command(program, address); cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
