package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/signin"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// bounds say, for each column of sealed values, what its values are bound to.
var bounds = map[string]func(keys []string) []byte{
	"versions":          func(k []string) []byte { return templates.VariablesBound(berth.VersionID(k[0])) },
	"workspaces":        func(k []string) []byte { return workspaces.KeyBound(berth.WorkspaceID(k[0])) },
	"state_revisions":   func(k []string) []byte { return builds.StateBound(berth.WorkspaceID(k[0])) },
	"ssh_keys":          func(k []string) []byte { return credentials.SSHKeyBound(berth.UserID(k[0])) },
	"user_secrets":      func(k []string) []byte { return credentials.SecretBound(berth.SecretID(k[0])) },
	"external_logins":   func(k []string) []byte { return credentials.ExternalBound(berth.UserID(k[0]), k[1]) },
	"identities":        func(k []string) []byte { return signin.IdentityBound(k[0], k[1]) },
	"sign_in_attempts":  func(k []string) []byte { return signin.AttemptBound(k[0]) },
	"signing_keys":      func(k []string) []byte { return accounts.SigningKeyBound(k[0], k[1]) },
	"external_attempts": func(k []string) []byte { return credentials.AttemptBound(k[0]) },
}

const (
	resealBatch = 10              // values at a time; a state may be large
	newKeyTime  = 3 * time.Second // by then every server seals with a new key
)

func rotateKeysCommand() *cobra.Command {
	var o Options
	var resume bool
	c := &cobra.Command{
		Use:   "rotate-keys",
		Short: "Make a new key for what is sealed in the database, and seal everything with it",
		Long: `Make a new key for what is sealed in the database, and seal everything with it:
states, workspace keys, variables, secrets, SSH keys, external sign-ins.

It works beside servers that run on the same data directory (or, several of them,
on the same keys directory): they find the new key by themselves. What was
interrupted goes on with --resume. In the end it says which key files nothing
needs any more; it removes none.`,
		Example: "  berth server rotate-keys --data /var/lib/berth\n  berth server rotate-keys --data /var/lib/berth --resume",
		Args:    cobra.NoArgs,
	}
	flags := c.Flags()
	bad := o.bind(flags, os.Getenv)
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = f.Name != "data" && f.Name != "database-url" })
	flags.BoolVar(&resume, "resume", false, "make no new key; seal with the newest what is not yet")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if bad != nil {
			return bad
		}
		if err := o.check(); err != nil {
			return err
		}
		return rotateKeys(c.Context(), o, resume, c.OutOrStdout())
	}
	return c
}

func rotateKeys(ctx context.Context, o Options, resume bool, out io.Writer) error {
	data := dataDir{root: o.Data}
	if _, err := os.Stat(data.keys()); err != nil {
		return &berth.Error{Code: berth.Invalid, Err: err, Message: fmt.Sprintf("--data %s is no data directory of a server: it has no keys in it", o.Data)}
	}
	keys, err := seal.Load(data.keys())
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, o.databaseURL(), store.WithoutNotifications())
	if err != nil {
		return err
	}
	defer db.Close()
	if !resume {
		if err := keys.Rotate(); err != nil {
			return err
		}
		fmt.Fprintf(out, "There is a new key: %s\n", newest(keys).ID)
		select { // the servers that run take it up
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(newKeyTime):
		}
	}
	moved, failed := 0, 0
	for _, c := range store.SealedColumns {
		m, f, err := reseal(ctx, db, keys, c, out)
		moved, failed = moved+m, failed+f
		if err != nil {
			return fmt.Errorf("sealing %s anew (go on with --resume): %w", c.Table, err)
		}
	}
	fmt.Fprintf(out, "%d values were sealed anew.\n", moved)
	if err := tellKeys(ctx, db, keys, data.keys(), out); err != nil {
		return err
	}
	if failed > 0 {
		return berth.Errorf(berth.Conflict, "%d values could not be sealed anew and stay as they were: see above, and keep their keys", failed)
	}
	return nil
}

// reseal moves the values of a column to the newest key. One that cannot be
// opened is said and left alone.
func reseal(ctx context.Context, db *store.DB, keys *seal.Keys, c store.SealedColumn, out io.Writer) (moved, failed int, err error) {
	bound := bounds[c.Table]
	var after *store.SealedRow
	for {
		var rows []store.SealedRow
		err := db.Read(ctx, func(q *store.Query) (err error) {
			rows, err = q.SealedOtherwise(c, newest(keys).Head, after, resealBatch)
			return err
		})
		if err != nil || len(rows) == 0 {
			return moved, failed, err
		}
		for _, r := range rows {
			ok, err := resealRow(ctx, db, keys, c, r, bound)
			switch {
			case errors.Is(err, errRow):
				failed++
				fmt.Fprintf(out, "%s %s: %v\n", c.Table, strings.Join(r.Keys(), " "), err)
			case err != nil:
				return moved, failed, err
			case ok:
				moved++
			}
		}
		after = &rows[len(rows)-1]
	}
}

// errRow is about one value, not about the database.
var errRow = errors.New("it stays as it was")

func resealRow(ctx context.Context, db *store.DB, keys *seal.Keys, c store.SealedColumn, r store.SealedRow, bound func([]string) []byte) (ok bool, err error) {
	if bound == nil {
		return false, fmt.Errorf("%w: nothing is known of what it is bound to", errRow)
	}
	to := bound(r.Keys())
	plain, err := keys.Open(r.Sealed, to)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errRow, err)
	}
	sealed, err := keys.Seal(plain, to)
	if err != nil {
		return false, err
	}
	err = db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err = tx.Reseal(c, r, sealed) // false: somebody changed it, and sealed it with the new key
		return err
	})
	return ok, err
}

func newest(keys *seal.Keys) seal.Key {
	list := keys.List()
	return list[len(list)-1]
}

// tellKeys says what each key is still needed for.
func tellKeys(ctx context.Context, db *store.DB, keys *seal.Keys, dir string, out io.Writer) error {
	list := keys.List()
	uses := map[string]int{}
	err := db.Read(ctx, func(q *store.Query) error {
		clear(uses)
		for _, c := range store.SealedColumns {
			heads, err := q.SealedHeads(c, len(list[0].Head))
			if err != nil {
				return err
			}
			for head, n := range heads {
				uses[head] += n
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range list {
		switch n := uses[string(k.Head)]; {
		case k.Current:
			fmt.Fprintf(out, "%s seals %d values and all to come\n", k.ID, n)
		case n > 0:
			fmt.Fprintf(out, "%s is in use by %d values: keep it, and run this again with --resume\n", k.ID, n)
		default:
			fmt.Fprintf(out, "%s is not in use: %s/%s.key may be removed, once no backup of the database needs it\n", k.ID, dir, k.ID)
		}
	}
	return nil
}
