package accounts_test

import (
	"testing"
	"time"

	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func TestSigners(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		sealed, err := seal.Load(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		one, two, other := accounts.NewSigner(db, sealed, "apps"), accounts.NewSigner(db, sealed, "apps"), accounts.NewSigner(db, sealed, "other")
		message := []byte("hello")
		id, signature, err := one.Sign(t.Context(), message)
		if err != nil {
			t.Fatal(err)
		}
		good := func(s *accounts.Signer, id string, message, signature []byte) bool {
			t.Helper()
			ok, err := s.Verify(t.Context(), id, message, signature)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if !good(one, id, message, signature) || !good(two, id, message, signature) {
			t.Error("two servers do not know each other's signatures")
		}
		if second, _, err := two.Sign(t.Context(), message); err != nil || second != id {
			t.Errorf("the other server signs with %s, %v, want %s", second, err, id)
		}
		for what, bad := range map[string]bool{
			"another message": good(one, id, []byte("hellO"), signature), "another key": good(one, "x", message, signature),
			"cut": good(one, id, message, signature[:63]), "nothing": good(one, id, message, nil), "another use": good(other, id, message, signature),
		} {
			if bad {
				t.Errorf("%s is verified", what)
			}
		}
		// A key that is a month old signs no more, and still verifies.
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			keys, err := tx.SigningKeys("apps", tx.Now)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			old := keys[0]
			old.ID, old.CreatedAt, old.ExpiresAt = "old", tx.Now.Add(-31*24*time.Hour), tx.Now.Add(-time.Second)
			return tx.InsertSigningKey("third", old)
		})
		if err != nil {
			t.Fatal(err)
		}
		third := accounts.NewSigner(db, sealed, "third")
		if id, _, err := third.Sign(t.Context(), message); err != nil || id == "old" {
			t.Errorf("a key that has expired signs: %s, %v", id, err)
		}
	})
}
