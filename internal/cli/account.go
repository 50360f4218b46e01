package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) logout() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Sign out, here and on the server",
		Args:  args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := a.readLogin()
			if err == nil && kept.Token != "" {
				err = a.endLogin(cmd.Context(), kept)
			}
			if gone := a.forgetLogin(); gone != nil {
				return gone
			}
			if err != nil {
				a.tell("Signed out here, but the server could not be told: %s", clean(err.Error()))
				return nil
			}
			a.tell("Signed out.")
			return nil
		},
	}
}

// endLogin ends a login on the server; one that is over already is fine.
func (a *app) endLogin(ctx context.Context, l login) error {
	c, err := a.dial(l, client.WithRetry(0))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.Logout(ctx); err != nil && !errors.Is(err, berth.Unauthenticated) {
		return err
	}
	return nil
}

func (a *app) whoami() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Tell who is signed in, and where",
		Args:  args(0, 0),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withClient(func(c *client.Client) error {
			u, err := c.Me(cmd.Context())
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(u)
			}
			a.field("user", u.Username)
			a.field("name", cell(u.Name))
			a.field("e-mail", cell(u.Email))
			a.field("roles", strings.Join(u.Roles, ", "))
			a.field("dotfiles", cell(u.Dotfiles))
			a.field("server", c.URL())
			return nil
		})
	}
	return cmd
}

func (a *app) version() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Tell the version of this program and of the server",
		Args:  args(0, 0),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := struct {
			Version string       `json:"version"`
			Server  *api.Version `json:"server,omitempty"`
			URL     string       `json:"url,omitempty"`
		}{Version: berth.Release}
		l, err := a.who()
		if err == nil {
			out.URL = l.URL
			out.Server, err = a.serverVersion(cmd.Context(), l)
		}
		if *asJSON {
			return a.json(out)
		}
		a.say("berth %s", out.Version)
		switch {
		case out.Server != nil:
			a.say("server %s at %s", cell(out.Server.Version), out.URL)
		case out.URL != "":
			a.tell("%s", clean(err.Error()))
		}
		return nil
	}
	return cmd
}

func (a *app) serverVersion(ctx context.Context, l login) (*api.Version, error) {
	c, err := a.dial(l, client.WithRetry(0))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	v, err := c.Version(ctx)
	if err != nil {
		return nil, err
	}
	return &v, nil
}
