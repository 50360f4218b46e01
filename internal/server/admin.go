package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/store"
)

func createAdminCommand() *cobra.Command {
	var o Options
	var in accounts.Owner
	var stdin bool
	c := &cobra.Command{
		Use:   "create-admin-user",
		Short: "Make an owner of the site, or let one in again",
		Long: `Make an owner of the site, or let one in again, for the day on which nobody can
sign in any more. A user of the name gets a new password, the role of an owner,
and is active again; where there is none, one is made.

It works in the database itself, beside servers that run. Whoever may read the
data directory may do it. Without --password-stdin a password is made and
printed, which has to be changed at the first sign-in.`,
		Example: "  berth server create-admin-user --data /var/lib/berth --username ana --email ana@example.com\n" +
			"  berth server create-admin-user --database-url postgres://berth@db/berth --username ana --password-stdin < secret",
		Args: cobra.NoArgs,
	}
	flags := c.Flags()
	bad := o.bind(flags, os.Getenv)
	flags.VisitAll(func(f *pflag.Flag) {
		f.Hidden = f.Name != "data" && f.Name != "database-url" && f.Name != "min-password-length"
	})
	flags.StringVar(&in.Username, "username", "", "user `name`")
	flags.StringVar(&in.Email, "email", "", "e-mail `address`, of a new one")
	flags.StringVar(&in.Name, "name", "", "full `name`, of a new one")
	flags.BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if bad != nil {
			return bad
		}
		if err := o.check(); err != nil {
			return err
		}
		if in.Username == "" {
			return berth.Errorf(berth.Invalid, "say who it is: --username NAME")
		}
		if stdin {
			line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), 64<<10)).ReadString('\n')
			if in.Password = strings.TrimRight(line, "\r\n"); in.Password == "" {
				return &berth.Error{Code: berth.Invalid, Message: "--password-stdin: standard input is empty", Err: err}
			}
		}
		return createAdmin(c.Context(), o, in, c.OutOrStdout(), c.ErrOrStderr())
	}
	return c
}

func createAdmin(ctx context.Context, o Options, in accounts.Owner, out, notes io.Writer) error {
	if o.DatabaseURL == "" {
		if _, err := os.Stat(filepath.Join(o.Data, "db", "berth.db")); err != nil {
			return &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf("--data %s is no data directory of a server: it has no database in it", o.Data)}
		}
	}
	db, err := store.Open(ctx, o.databaseURL())
	if err != nil {
		return err
	}
	defer db.Close()
	people := accounts.NewWith(db, accounts.Options{MinPasswordLength: o.MinPasswordLength})
	u, password, err := people.Repair(ctx, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(notes, "%s is an owner of the site and can sign in by password.\n", u.Username)
	if password != "" {
		fmt.Fprintln(out, password)
		fmt.Fprintln(notes, "This is the password until the first sign-in. It is not shown again.")
	}
	return nil
}
