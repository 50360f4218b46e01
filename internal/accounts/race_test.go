package accounts

import (
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// A password that is changed while a sign-in with the old one is being looked
// at, and one of somebody who signs in by a provider by then, let nobody in:
// the logins that the change ended would go on by this one.
func TestALoginDoesNotOutrunTheEndOfItsPassword(t *testing.T) {
	t.Parallel()
	const password = "correct horse battery"
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		for name, meanwhile := range map[string]func(tx *store.Tx, u berth.User) error{
			"changed": func(tx *store.Tx, u berth.User) error { return tx.SetPasswordHash(u.ID, "another") },
			"converted": func(tx *store.Tx, u berth.User) error {
				u.SignIn = "corp"
				return tx.UpdateUser(u)
			},
		} {
			db := open(t)
			s := New(db)
			if err := s.EnsureDefaults(t.Context()); err != nil {
				t.Fatal(err)
			}
			u, err := s.FirstUser(t.Context(), NewUser{Username: "ada", Email: "ada@example.com", Password: password})
			if err != nil {
				t.Fatal(err)
			}
			for range hashers {
				s.hashes.working <- struct{}{} // all are at work
			}
			came := make(chan error)
			go func() {
				_, _, _, err := s.Login(t.Context(), "ada", password, "10.0.0.1:1")
				came <- err
			}()
			for len(s.hashes.waiting) == 0 {
				time.Sleep(time.Millisecond)
			}
			if err := db.Write(t.Context(), func(tx *store.Tx) error { return meanwhile(tx, u) }); err != nil {
				t.Fatal(err)
			}
			for range hashers {
				<-s.hashes.working
			}
			if err := <-came; !errors.Is(err, berth.Unauthenticated) {
				t.Errorf("%s: %v, want unauthenticated", name, err)
			}
		}
	})
}
