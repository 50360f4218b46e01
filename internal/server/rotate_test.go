package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// Each column of sealed values can be sealed anew.
func TestEverySealedColumnIsBound(t *testing.T) {
	t.Parallel()
	for _, c := range store.SealedColumns {
		if bounds[c.Table] == nil {
			t.Errorf("rotate-keys does not know what %s.%s is bound to", c.Table, c.Column)
		}
	}
}

// Keys rotate beside a server that goes on sealing; one bad value does not stop
// the others, and the old key is told to be in use as long as it is.
func TestRotateKeys(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		data := t.TempDir()
		keys, err := seal.Load(filepath.Join(data, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		db := storetest.Open(t, url)
		world := storetest.Seed(t, db)
		s := credentials.New(db, keys, credentials.Options{AccessURL: "https://berth.test"})
		ada := authz.User(authz.Who{User: world.User}, authz.ScopeAll)
		put := func(name, env string) {
			t.Helper()
			value := "value of " + name
			if _, err := s.PutSecret(t.Context(), ada, credentials.SecretInput{Name: name, Env: &env, Value: &value}); err != nil {
				t.Error(err)
			}
		}
		for i := range 25 {
			put("s"+string(rune('a'+i)), "S"+string(rune('A'+i)))
		}
		if _, err := s.SSHKey(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		old, secrets := keys.List()[0], store.SealedColumn{Table: "user_secrets", Column: "value_sealed", Keys: []string{"id"}}
		// One value is damaged: it is another row's.
		if err := db.Guarded(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.SealedOtherwise(secrets, []byte("xxxxxxxxx"), nil, 2)
			if err != nil {
				return err
			}
			_, err = tx.Reseal(secrets, rows[0], rows[1].Sealed)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		going, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { // the server
			defer close(done)
			for going.Err() == nil {
				put("live", "LIVE")
				time.Sleep(50 * time.Millisecond)
			}
		}()
		var out bytes.Buffer
		err = rotateKeys(t.Context(), Options{Data: data, DatabaseURL: url}, false, &out)
		if err == nil || !strings.Contains(berth.ErrorMessage(err), "1 values could not be sealed anew") || !strings.Contains(out.String(), old.ID+" is in use by 1 values") {
			t.Errorf("%v\n%s", err, out.String())
		}
		stop()
		<-done
		// The person gives all of them again; then nothing needs the old key.
		list, err := s.Secrets(t.Context(), ada)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			value := "again"
			if _, err := s.PutSecret(t.Context(), ada, credentials.SecretInput{Name: v.Name, Value: &value}); err != nil {
				t.Fatal(err)
			}
		}
		out.Reset()
		if err := rotateKeys(t.Context(), Options{Data: data, DatabaseURL: url}, true, &out); err != nil || !strings.Contains(out.String(), old.ID+" is not in use") {
			t.Errorf("%v\n%s", err, out.String())
		}
		if err := os.Remove(filepath.Join(data, "keys", old.ID+".key")); err != nil {
			t.Fatal(err)
		}
		fresh, err := seal.Load(filepath.Join(data, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		heads := 0
		if err := db.Read(t.Context(), func(q *store.Query) error {
			for _, c := range store.SealedColumns {
				h, err := q.SealedHeads(c, 9)
				if err != nil {
					return err
				}
				for head := range h {
					if c.Table != "workspaces" && head != string(fresh.List()[0].Head) {
						heads++
					}
				}
			}
			return nil
		}); err != nil || heads > 0 {
			t.Errorf("%d columns hold values of other keys, %v", heads, err)
		}
	})
}
