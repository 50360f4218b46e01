package accounts_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// write runs f in a transaction.
func write(t *testing.T, db *store.DB, f func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestNewUserJoinsTheDefaultOrganization(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		setUp(t, db)
		write(t, db, func(tx *store.Tx) error {
			o, err := tx.OrganizationRef("")
			if err != nil {
				return err
			}
			bob, err := accounts.NewUserIn(tx, accounts.NewUser{Username: "bob", Email: "bob@example.com", SignIn: "okta"})
			if err != nil {
				return err
			}
			if bob.Status != berth.UserDormant || bob.SignIn != "okta" || bob.MustChangePassword {
				t.Errorf("bob = %+v", bob)
			}
			if _, err := tx.Member(o.ID, bob.ID); err != nil {
				t.Errorf("bob is no member of the default organization: %v", err)
			}
			eve, err := accounts.NewUserIn(tx, accounts.NewUser{Username: "eve", Email: "eve@example.com", Organizations: []berth.OrganizationID{}})
			if err != nil {
				return err
			}
			if m, err := tx.MembershipsOf(eve.ID); err != nil || len(m) != 0 {
				t.Errorf("eve's memberships = %v, %v", m, err)
			}
			_, err = accounts.NewUserIn(tx, accounts.NewUser{Username: "mal", Email: "mal@example.com", Roles: []berth.Role{"king"}})
			if !errors.Is(err, berth.Invalid) {
				t.Errorf("a made-up role: %v", err)
			}
			return nil
		})
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := accounts.NewUserIn(tx, accounts.NewUser{Username: "BOB", Email: "other@example.com"})
			return err
		})
		if !errors.Is(err, berth.Conflict) {
			t.Errorf("a second bob: %v, want conflict", err)
		}
	})
}

func TestSignedIn(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		var bob berth.User
		var login accounts.Login
		write(t, db, func(tx *store.Tx) (err error) {
			if bob, err = accounts.NewUserIn(tx, accounts.NewUser{Username: "bob", Email: "bob@example.com", SignIn: "okta"}); err != nil {
				return err
			}
			login, err = accounts.SignedIn(tx, bob.ID, "okta")
			return err
		})
		if login.User.Status != berth.UserActive || login.User.SeenAt.IsZero() || login.Token.SignIn != "okta" {
			t.Errorf("login = %+v", login)
		}
		actor, u, token, err := s.Authenticate(t.Context(), login.Text)
		if err != nil || actor.UserID != bob.ID || u.Status != berth.UserActive || token.SignIn != "okta" {
			t.Errorf("authenticated as %+v with %+v: %v", u, token, err)
		}
		for _, status := range []berth.UserStatus{berth.UserSuspended} {
			suspend(t, db, bob, status)
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := accounts.SignedIn(tx, bob.ID, "okta")
				return err
			})
			if !errors.Is(err, berth.Unauthenticated) {
				t.Errorf("%s: %v", status, err)
			}
		}
		err = db.Read(t.Context(), func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{})
			i := slices.IndexFunc(rows, func(a store.Audit) bool { return a.Action == "login" && a.ActorID == bob.ID })
			if i < 0 || rows[i].Class != berth.AuditSignIn || rows[i].ActorName != "bob" {
				t.Errorf("the record does not tell of the sign-in: %+v", rows)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestPasswordsThatFallToTheFirstGuesses(t *testing.T) {
	t.Parallel()
	s := accounts.New(storetest.SQLite(t))
	if err := s.EnsureDefaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := accounts.NewUser{Username: "ana-maria", Email: "boss@example.com", Name: "Ana Lopez"}
	for _, bad := range []string{
		"password", "Password123!", "P@ssw0rd2024", "aaaaaaaa", "12345678", "87654321", "qwertyuiop", "letmein99", "passwordpassword",
		"ana-maria1", "AnaMaria!!", "boss@example.com", "boss2024", "analopez1", "1q2w3e4r", "abcdefgh", "Welcome-1",
	} {
		in.Password = bad
		var e *berth.Error
		if _, err := s.FirstUser(t.Context(), in); !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != "password" {
			t.Errorf("%s: %v, want invalid password", bad, err)
		}
	}
	in.Password = "twelve angry violets"
	if _, err := s.FirstUser(t.Context(), in); err != nil {
		t.Errorf("a good password: %v", err)
	}
	strict := accounts.NewWith(storetest.SQLite(t), accounts.Options{MinPasswordLength: 14})
	in.Password = "violets angry"
	if _, err := strict.FirstUser(t.Context(), in); !errors.Is(err, berth.Invalid) {
		t.Errorf("13 characters where 14 are needed: %v", err)
	}
}
