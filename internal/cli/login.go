package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// loginFlags are the flags of `berth login`.
type loginFlags struct {
	first         api.FirstUser
	username      string
	passwordStdin bool
	browser       bool
	noBrowser     bool
}

func (a *app) login() *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login [URL]",
		Short: "Sign in to a server",
		Long: `Sign in to a server and keep the login for the commands to come.

On a server that has no user yet this makes the first one, who owns the site.
On a terminal it asks for what is missing: without --username it opens your
browser, where you sign in in whatever way the server has, and asks for the code
that the browser shows. --token keeps a token that was made with 'berth tokens
create'.`,
		Example: `  berth login https://berth.example.com
  berth login https://berth.example.com --username ana --password-stdin < secret
  berth login http://127.0.0.1:7080 --first-user-username ana --first-user-email ana@example.com --first-user-password ...`,
		Args: args(0, 1),
		RunE: func(cmd *cobra.Command, given []string) error {
			a.signingIn = true
			to := ""
			if len(given) > 0 {
				to = given[0]
			}
			return a.signIn(cmd.Context(), to, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.first.Username, "first-user-username", "", "`name` of the first user to make")
	fl.StringVar(&f.first.Email, "first-user-email", "", "e-mail `address` of the first user")
	fl.StringVar(&f.first.Name, "first-user-full-name", "", "full `name` of the first user")
	fl.StringVar(&f.first.Password, "first-user-password", "", "`password` of the first user")
	fl.StringVar(&f.username, "username", "", "user `name` or e-mail address")
	fl.BoolVar(&f.browser, "browser", false, "sign in by browser, also where there is no terminal: the code is read from standard input")
	fl.BoolVar(&f.noBrowser, "no-browser", false, "only print the address for the browser")
	fl.BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func (a *app) signIn(ctx context.Context, to string, f loginFlags) error {
	kept, err := a.readLogin()
	if err != nil {
		kept = login{} // a damaged one is replaced
	}
	l := login{URL: serverURL(first(to, a.flagURL, os.Getenv("BERTH_URL"), kept.URL)), Token: a.flagToken}
	if l.URL == "" {
		if !a.canAsk() {
			return usagef("name the server: berth login URL")
		}
		if l.URL, err = a.askText(ctx, "URL of the server", "", "", func(s string) error {
			_, err := client.New(serverURL(s), "")
			return err
		}); err != nil {
			return err
		}
		l.URL = serverURL(l.URL)
	}
	c, err := a.dial(l)
	if err != nil {
		return err
	}
	defer c.Close()
	var user api.User
	if l.Token != "" {
		user, err = c.Me(ctx)
	} else {
		l.Token, user, err = a.byPassword(ctx, c, f)
	}
	if err != nil {
		return err
	}
	if err := a.writeLogin(l); err != nil {
		return err
	}
	a.tell("Signed in to %s as %s.", l.URL, user.Username)
	return nil
}

// byPassword signs in with a password, after making the first user where
// there is none.
func (a *app) byPassword(ctx context.Context, c *client.Client, f loginFlags) (string, api.User, error) {
	v, err := c.Version(ctx)
	if err != nil {
		return "", api.User{}, err
	}
	in := api.Login{Username: f.username}
	wanted := f.first != api.FirstUser{}
	switch {
	case wanted && !v.SetupRequired:
		return "", api.User{}, berth.Errorf(berth.Conflict, "%s has its first user already: sign in with --username", c.URL())
	case v.SetupRequired && !wanted && f.username != "" && !a.canAsk(), v.SetupRequired && !wanted && !a.canAsk():
		return "", api.User{}, usagef("%s has no user yet: make the first with --first-user-username, --first-user-email and --first-user-password", c.URL())
	case v.SetupRequired:
		if f.first, err = a.makeFirst(ctx, c, f); err != nil {
			return "", api.User{}, err
		}
		in = api.Login{Username: f.first.Username, Password: f.first.Password}
	case f.browser || f.username == "" && !f.passwordStdin && a.canAsk():
		out, err := a.byBrowser(ctx, c, f.noBrowser)
		return out.Token, out.User, err
	default:
		if in, err = a.credentials(ctx, f); err != nil {
			return "", api.User{}, err
		}
	}
	out, err := c.Login(ctx, in)
	if err == nil && out.MustChangePassword {
		err = a.changeFirst(ctx, login{URL: c.URL(), Token: out.Token}, in.Password)
	}
	return out.Token, out.User, err
}

func (a *app) credentials(ctx context.Context, f loginFlags) (in api.Login, err error) {
	in.Username = f.username
	if in.Username == "" {
		if !a.canAsk() {
			return in, usagef("say who you are: --username NAME --password-stdin, or --token TOKEN")
		}
		if in.Username, err = a.askText(ctx, "User name or e-mail address", "", "", notEmpty); err != nil {
			return in, err
		}
	}
	if f.passwordStdin {
		in.Password, err = a.passwordFromStdin()
	} else {
		in.Password, err = a.readPassword("Password: ")
	}
	return in, err
}

func (a *app) makeFirst(ctx context.Context, c *client.Client, f loginFlags) (u api.FirstUser, err error) {
	u = f.first
	u.Username = first(u.Username, f.username)
	if f.passwordStdin {
		if u.Password, err = a.passwordFromStdin(); err != nil {
			return u, err
		}
	}
	if !a.canAsk() {
		for _, missing := range []struct{ flag, value string }{
			{"--first-user-username", u.Username}, {"--first-user-email", u.Email}, {"--first-user-password (or --password-stdin)", u.Password},
		} {
			if missing.value == "" {
				return u, usagef("the first user wants %s too", missing.flag)
			}
		}
	} else if err = a.askFirst(ctx, c, &u); err != nil {
		return u, err
	}
	_, err = c.CreateFirstUser(ctx, u)
	return u, err
}

func (a *app) askFirst(ctx context.Context, c *client.Client, u *api.FirstUser) (err error) {
	a.tell("%s has no user yet. The first one owns the site.", c.URL())
	if u.Username == "" {
		if u.Username, err = a.askText(ctx, "User name", "", "", func(s string) error { return berth.ValidateName("username", s) }); err != nil {
			return err
		}
	}
	if u.Email == "" {
		if u.Email, err = a.askText(ctx, "E-mail address", "", "", func(s string) error { return berth.ValidateEmail("email", s) }); err != nil {
			return err
		}
	}
	if u.Password == "" {
		u.Password, err = a.readTwice("Password: ")
	}
	return err
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("something is needed here")
	}
	return nil
}
