package accounts_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// made makes a user and gives the actor that they are.
func made(t *testing.T, db *store.DB, s *accounts.Service, by authz.Actor, name string, roles ...berth.Role) authz.Actor {
	t.Helper()
	v, _, err := s.CreateUser(t.Context(), by, accounts.CreateUser{Username: name, Email: name + "@example.com", Password: password, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	return actorOf(t, db, v.ID)
}

func actorOf(t *testing.T, db *store.DB, id berth.UserID) (a authz.Actor) {
	t.Helper()
	err := db.Read(t.Context(), func(q *store.Query) error {
		u, err := q.User(id)
		if err != nil {
			return err
		}
		who, err := accounts.WhoIs(q, u)
		a = authz.User(who, authz.ScopeAll)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, ada, _ := login(t, s)
		ben := made(t, db, s, ada, "ben", berth.RoleOwner)
		// Two owners take the role from each other at once: one stays.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, c := range []struct {
			by   authz.Actor
			whom string
		}{{ada, "ben"}, {ben, "ada"}} {
			wg.Go(func() { _, errs[i] = s.SetRoles(t.Context(), c.by, c.whom, nil) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("both owners answered %v", errs)
		}
		var left []berth.User
		write(t, db, func(tx *store.Tx) (err error) {
			left, _, err = tx.UserPage(store.UserFilter{Visible: berth.Visible{All: true}, Roles: []berth.Role{berth.RoleOwner}}, store.Page{})
			return err
		})
		if len(left) != 1 {
			t.Fatalf("owners left: %+v", left)
		}
		owner := actorOf(t, db, left[0].ID)
		if _, err := s.SetRoles(t.Context(), owner, "me", nil); !errors.Is(err, berth.Conflict) {
			t.Errorf("the last owner gave the role back: %v", err)
		}
		if _, err := s.Suspend(t.Context(), owner, "me"); !errors.Is(err, berth.Conflict) {
			t.Errorf("somebody suspended themselves: %v", err)
		}
		// An owner who cannot sign in is none.
		if _, _, err := s.CreateUser(t.Context(), owner, accounts.CreateUser{Username: "bot", Email: "bot@example.com", SignIn: berth.SignInNone,
			Roles: []berth.Role{berth.RoleOwner}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetRoles(t.Context(), owner, "me", nil); !errors.Is(err, berth.Conflict) {
			t.Errorf("the last owner who can sign in gave the role back: %v", err)
		}
	})
}

func TestTwoRenamesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, ada, _ := login(t, s)
		for i := range 4 {
			made(t, db, s, ada, fmt.Sprintf("user%d", i))
		}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		name, full := "taken", "Somebody Else"
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.EditUser(t.Context(), ada, fmt.Sprintf("user%d", i), accounts.EditUser{Username: &name, Name: &full})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, berth.Conflict):
				t.Errorf("the loser got %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d users have one name", won)
		}
		// Two edits of different fields of one user lose nothing.
		email := "new@example.com"
		wg.Go(func() { _, errs[0] = s.EditUser(t.Context(), ada, "taken", accounts.EditUser{Email: &email}) })
		wg.Go(func() { _, errs[1] = s.SetRoles(t.Context(), ada, "taken", []berth.Role{berth.RoleAuditor}) })
		wg.Wait()
		v, err := s.User(t.Context(), ada, "taken")
		if err != nil || errs[0] != nil || errs[1] != nil || v.Email != email || !slices.Contains(v.Roles, berth.RoleAuditor) || v.Name != full {
			t.Errorf("after two edits at once: %+v, %v %v %v", v, err, errs[0], errs[1])
		}
	})
}

func TestPrivilegedUsersAreChangedByOwnersAlone(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, ada, _ := login(t, s)
		uma := made(t, db, s, ada, "uma", berth.RoleUserAdmin)
		made(t, db, s, ada, "oda")
		write(t, db, func(tx *store.Tx) error { // an owner of an organization, without roles of the site
			o, err := tx.OrganizationRef("")
			if err != nil {
				return err
			}
			u, err := tx.UserNamed("oda")
			if err != nil {
				return err
			}
			return tx.PutMember(berth.Membership{OrganizationID: o.ID, UserID: u.ID, Roles: []berth.Role{berth.RoleOwner}})
		})
		for _, whom := range []string{"ada", "oda"} {
			if _, err := s.ResetPassword(t.Context(), uma, whom); !errors.Is(err, berth.Forbidden) {
				t.Errorf("a user-admin reset the password of %s: %v", whom, err)
			}
			if _, err := s.Suspend(t.Context(), uma, whom); !errors.Is(err, berth.Forbidden) {
				t.Errorf("a user-admin suspended %s: %v", whom, err)
			}
			if err := s.DeleteUser(t.Context(), uma, whom); !errors.Is(err, berth.Forbidden) {
				t.Errorf("a user-admin deleted %s: %v", whom, err)
			}
		}
		if _, err := s.Suspend(t.Context(), ada, berth.PrebuildsUsername); !errors.Is(err, berth.NotFound) {
			t.Errorf("a system user is one to people: %v", err)
		}
	})
}

func TestAFloodFromManyAddresses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s, _ := setUp(t, db)
	home := store.WithOrigin(t.Context(), berth.AuditOrigin{Address: "192.0.2.9", UserAgent: "home"})
	if _, _, _, err := s.Login(home, "ada", password, "192.0.2.9:1"); err != nil {
		t.Fatal(err)
	}
	limited := false
	for i := range 130 {
		_, _, _, err := s.Login(t.Context(), "ada", "wrong password", fmt.Sprintf("198.51.%d.7:1", i))
		limited = limited || errors.Is(err, berth.Limit)
	}
	if !limited {
		t.Error("130 addresses try as they like")
	}
	if _, _, _, err := s.Login(t.Context(), "ada", password, "203.0.113.1:1"); !errors.Is(err, berth.Limit) {
		t.Errorf("from a new place during a flood: %v, want limit", err)
	}
	if _, _, _, err := s.Login(home, "ada", password, "192.0.2.9:1"); err != nil {
		t.Errorf("the flood keeps ada out at home: %v", err)
	}
	// All of one line of the newer protocol is one place. Knocking hashes nothing,
	// so that the bucket does not refill meanwhile.
	limited = false
	for i := range 70 {
		err := s.Knock(fmt.Sprintf("[2001:db8::%x]:1", i+1))
		limited = limited || errors.Is(err, berth.Limit)
	}
	if !limited {
		t.Error("one line tries as often as it has addresses")
	}
}

func TestScopesAndUsesOfTokens(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, ada, _ := login(t, s)
		text, token, err := s.CreateToken(t.Context(), ada, accounts.NewToken{Name: "maker", Scopes: []string{"token:create", "read"}})
		if err != nil {
			t.Fatal(err)
		}
		thief := store.WithOrigin(t.Context(), berth.AuditOrigin{Address: "203.0.113.66", UserAgent: "curl"})
		for range 3 {
			if _, _, _, err := s.Authenticate(thief, text); err != nil {
				t.Fatal(err)
			}
		}
		maker, _, _, err := s.Authenticate(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateToken(t.Context(), maker, accounts.NewToken{Name: "all", Scopes: []string{"all"}}); !errors.Is(err, berth.Forbidden) {
			t.Errorf("a narrow token made a wide one: %v", err)
		}
		_, small, err := s.CreateToken(t.Context(), maker, accounts.NewToken{Name: "same"})
		if err != nil || !slices.Equal(small.Scopes, token.Scopes) {
			t.Errorf("a token of the same scope: %v, %v", small.Scopes, err)
		}
		if err := s.RemoveToken(t.Context(), ada, "", "maker"); err != nil {
			t.Fatal(err)
		}
		uses, err := s.TokenUses(t.Context(), ada, "me", string(token.ID))
		if err != nil || len(uses) != 1 || uses[0].Address != "203.0.113.66" || uses[0].UserAgent != "curl" {
			t.Errorf("uses of a token that is gone: %+v, %v", uses, err)
		}
		ben := made(t, db, s, ada, "ben")
		if _, err := s.TokenUses(t.Context(), ben, "ada", ""); !errors.Is(err, berth.NotFound) {
			t.Errorf("ben looks at ada's: %v", err)
		}
	})
}

func TestPasswordsChange(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, ada, _ := login(t, s)
		v, first, err := s.CreateUser(t.Context(), ada, accounts.CreateUser{Username: "ben", Email: "ben@example.com"})
		if err != nil || first == "" || !v.MustChangePassword {
			t.Fatalf("a user without a password: %+v, %v", v, err)
		}
		in := func(password string) (string, authz.Actor, berth.Token) {
			t.Helper()
			text, _, _, err := s.Login(t.Context(), "ben", password, "10.0.0.1:1")
			if err != nil {
				t.Fatal(err)
			}
			a, _, k, err := s.Authenticate(t.Context(), text)
			if err != nil {
				t.Fatal(err)
			}
			return text, a, k
		}
		other, _, _ := in(first)
		text, ben, token := in(first)
		if _, err := s.Tokens(t.Context(), ben, ""); !errors.Is(err, berth.Forbidden) {
			t.Errorf("before the password is changed: %v", err)
		}
		const second = "nine copper whistles"
		for wrong, pair := range map[string][2]string{"current": {"wrong one", second}, "password": {first, first}} {
			err := s.ChangePassword(t.Context(), ben, token, pair[0], pair[1], "10.0.0.1:1")
			var e *berth.Error
			if !errors.As(err, &e) || e.Field != wrong {
				t.Errorf("%v: %v, want invalid %s", pair, err, wrong)
			}
		}
		if err := s.ChangePassword(t.Context(), ben, token, first, second, "10.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
		if ben, _, _, err = s.Authenticate(t.Context(), text); err != nil {
			t.Errorf("the login that changed it: %v", err)
		} else if _, err := s.Tokens(t.Context(), ben, ""); err != nil {
			t.Errorf("after the password is changed: %v", err)
		}
		if _, _, _, err := s.Authenticate(t.Context(), other); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("the other login goes on: %v", err)
		}
		narrow := ada
		narrow.Scopes = []authz.Scope{"user:update", authz.ScopeRead}
		if _, err := s.ResetPassword(t.Context(), narrow, "ben"); !errors.Is(err, berth.Forbidden) {
			t.Errorf("a token that may change users took one over: %v", err)
		}
		made, err := s.ResetPassword(t.Context(), ada, "ben")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Authenticate(t.Context(), text); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("a login after a reset: %v", err)
		}
		in(made)
	})
}

func TestWhoIsAwayBecomesDormant(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		old := berth.User{ID: berth.NewID[berth.User](), Username: "old", Email: "old@example.com", Status: berth.UserActive, SignIn: "okta",
			CreatedAt: time.Now().Add(-100 * 24 * time.Hour), UpdatedAt: time.Now()}
		write(t, db, func(tx *store.Tx) error { return tx.InsertUser(old, "") })
		for want := int64(1); want >= 0; want-- { // and nobody twice
			if n, err := s.MarkDormant(t.Context()); err != nil || n != want {
				t.Errorf("%d became dormant, %v, want %d", n, err, want)
			}
		}
		write(t, db, func(tx *store.Tx) error {
			_, err := accounts.SignedIn(tx, old.ID, "okta")
			return err
		})
		if n, err := s.MarkDormant(t.Context()); err != nil || n != 0 {
			t.Errorf("%d became dormant who are there, %v", n, err)
		}
	})
}
