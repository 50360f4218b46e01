package accounts_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

const password = "correct horse battery"

var ada = accounts.NewUser{Username: "ada", Email: "ada@example.com", Name: "Ada", Password: password}

// set up makes a service with defaults and the first user.
func setUp(t *testing.T, db *store.DB) (*accounts.Service, berth.User) {
	t.Helper()
	s := accounts.New(db)
	if err := s.EnsureDefaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	u, err := s.FirstUser(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	return s, u
}

// login signs ada in and gives the token's text and the actor.
func login(t *testing.T, s *accounts.Service) (string, authz.Actor, berth.Token) {
	t.Helper()
	text, _, _, err := s.Login(t.Context(), "ada", password, "10.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	actor, _, token, err := s.Authenticate(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return text, actor, token
}

func TestFirstUserOwnsTheSite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s := accounts.New(db)
		for range 2 { // a second start changes nothing
			if err := s.EnsureDefaults(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if required, err := s.SetupRequired(t.Context()); err != nil || !required {
			t.Fatalf("setup required = %v, %v before the first user", required, err)
		}
		u, err := s.FirstUser(t.Context(), ada)
		if err != nil {
			t.Fatal(err)
		}
		if required, err := s.SetupRequired(t.Context()); err != nil || required {
			t.Fatalf("setup required = %v, %v after the first user", required, err)
		}
		if _, err := s.FirstUser(t.Context(), accounts.NewUser{Username: "eve", Email: "eve@example.com", Password: password}); !errors.Is(err, berth.Conflict) {
			t.Errorf("a second first user: %v, want conflict", err)
		}
		_, actor, _ := login(t, s)
		if actor.UserID != u.ID || !authz.Can(actor, authz.Update, authz.All(authz.KindServer)) {
			t.Errorf("the first user is not the owner: %+v", actor)
		}
		if len(actor.Memberships) != 1 {
			t.Errorf("the first user is in %+v, want the default organization", actor.Memberships)
		}
	})
}

func TestFirstUserIsMadeOnce(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s := accounts.New(db)
		if err := s.EnsureDefaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				in := ada
				if i%2 == 1 { // the same and other names
					in.Username, in.Email = "user"+string(rune('a'+i)), "u"+string(rune('a'+i))+"@example.com"
				}
				_, errs[i] = s.FirstUser(t.Context(), in)
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			switch {
			case err == nil:
				made++
			case !errors.Is(err, berth.Conflict):
				t.Errorf("the loser got %v, want conflict", err)
			}
		}
		if made != 1 {
			t.Errorf("%d first users were made", made)
		}
	})
}

func TestDefaultsOnTwoReplicasAtOnce(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			db := storetest.Open(t, url)
			wg.Go(func() {
				if err := accounts.New(db).EnsureDefaults(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestFirstUserInput(t *testing.T) {
	t.Parallel()
	s := accounts.New(storetest.SQLite(t))
	for _, c := range []struct {
		field string
		in    accounts.NewUser
	}{
		{"username", accounts.NewUser{Username: "", Email: "a@b.c", Password: password}},
		{"username", accounts.NewUser{Username: "me", Email: "a@b.c", Password: password}},
		{"username", accounts.NewUser{Username: "Prebuilds", Email: "a@b.c", Password: password}},
		{"username", accounts.NewUser{Username: "zoë", Email: "a@b.c", Password: password}},
		{"username", accounts.NewUser{Username: strings.Repeat("x", 33), Email: "a@b.c", Password: password}},
		{"email", accounts.NewUser{Username: "ada", Email: "Ada <a@b.c>", Password: password}},
		{"password", accounts.NewUser{Username: "ada", Email: "a@b.c", Password: "short"}},
		{"password", accounts.NewUser{Username: "ada", Email: "a@b.c", Password: strings.Repeat("x", 1<<20)}},
	} {
		_, err := s.FirstUser(t.Context(), c.in)
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != c.field {
			t.Errorf("%+v: got %v, want invalid %s", c.in.Username, err, c.field)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, u := setUp(t, db)
		for _, name := range []string{"ada", "ADA", "ada@example.com"} {
			if _, _, got, err := s.Login(t.Context(), name, password, "10.0.0.1:1"); err != nil || got.ID != u.ID {
				t.Errorf("login as %s: %v", name, err)
			}
		}
		var answers []string
		for _, name := range []string{"ada", "nobody", berth.PrebuildsUsername, "a\x00b", strings.Repeat("x", 300)} {
			_, _, _, err := s.Login(t.Context(), name, "wrong password", "10.0.0.2:1")
			if !errors.Is(err, berth.Unauthenticated) {
				t.Errorf("login as %q: %v, want unauthenticated", name, err)
			}
			answers = append(answers, berth.ErrorMessage(err))
		}
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("the answers tell users apart: %q", answers)
			}
		}
		suspend(t, db, u, berth.UserSuspended)
		if _, _, _, err := s.Login(t.Context(), "ada", password, "10.0.0.3:1"); !errors.Is(err, berth.Unauthenticated) || berth.ErrorMessage(err) != answers[0] {
			t.Errorf("a suspended user: %v", err)
		}
		suspend(t, db, u, berth.UserDormant)
		if _, _, got, err := s.Login(t.Context(), "ada", password, "10.0.0.3:1"); err != nil || got.Status != berth.UserActive {
			t.Errorf("a dormant user is not woken by a login: %v, %v", got.Status, err)
		}
	})
}

func suspend(t *testing.T, db *store.DB, u berth.User, status berth.UserStatus) {
	t.Helper()
	u.Status = status
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.UpdateUser(u) }); err != nil {
		t.Fatal(err)
	}
}

func TestLoginIsLimited(t *testing.T) {
	t.Parallel()
	s, _ := setUp(t, storetest.SQLite(t))
	for _, name := range []string{"ada", "nobody"} { // known or not, it is the same
		limited := 0
		for i := range 12 {
			_, _, _, err := s.Login(t.Context(), name, "wrong password", "10.0.0.9:1")
			if errors.Is(err, berth.Limit) {
				limited++
				if !strings.Contains(berth.ErrorMessage(err), "wait ") {
					t.Errorf("the limit does not say how long: %v", err)
				}
			} else if i >= 8 {
				t.Errorf("try %d as %s: %v, want limit", i+1, name, err)
			}
		}
		if limited < 3 {
			t.Errorf("%s: %d of 12 tries were limited", name, limited)
		}
	}
	if _, _, _, err := s.Login(t.Context(), "ada", password, "10.0.0.10:1"); err != nil {
		t.Errorf("an attacker elsewhere keeps ada out: %v", err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, u := setUp(t, db)
		text, actor, token := login(t, s)
		if !strings.HasPrefix(text, "berth_") || len(text) < 28 {
			t.Errorf("token text %q", text)
		}
		api, created, err := s.CreateToken(t.Context(), actor, accounts.NewToken{Name: "ci"})
		if err != nil {
			t.Fatal(err)
		}
		if d := created.ExpiresAt.Sub(created.CreatedAt); d != accounts.DefaultTokenLifetime {
			t.Errorf("a token lasts %s by default", d)
		}
		if _, _, err := s.CreateToken(t.Context(), actor, accounts.NewToken{Name: "ci", Lifetime: time.Hour}); !errors.Is(err, berth.Conflict) {
			t.Errorf("a second token ci: %v, want conflict", err)
		}
		if _, _, err := s.CreateToken(t.Context(), actor, accounts.NewToken{Name: "no such name!"}); !errors.Is(err, berth.Invalid) {
			t.Errorf("a bad name: %v", err)
		}
		if list, err := s.Tokens(t.Context(), actor, ""); err != nil || len(list) != 2 {
			t.Errorf("tokens = %d, %v", len(list), err)
		}
		for _, wrong := range []string{"", "berth_", text + "x", text[:len(text)-1], strings.ToUpper(text), strings.Repeat("berth_", 1000), "x\x00"} {
			if _, _, _, err := s.Authenticate(t.Context(), wrong); !errors.Is(err, berth.Unauthenticated) {
				t.Errorf("token %.20q: %v, want unauthenticated", wrong, err)
			}
		}
		suspend(t, db, u, berth.UserSuspended)
		if _, _, _, err := s.Authenticate(t.Context(), api); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("a suspended user's token: %v", err)
		}
		suspend(t, db, u, berth.UserActive)
		if err := s.RemoveToken(t.Context(), actor, "", "ci"); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Authenticate(t.Context(), api); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("a removed token: %v", err)
		}
		for range 2 {
			if err := s.Logout(t.Context(), actor, token); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, _, err := s.Authenticate(t.Context(), text); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("a login that ended: %v", err)
		}
	})
}

func TestExpiredTokens(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, actor, _ := login(t, s)
		text, token, err := s.CreateToken(t.Context(), actor, accounts.NewToken{Name: "ci", Lifetime: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		expire(t, db, token, -time.Second)
		if _, _, _, err := s.Authenticate(t.Context(), text); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("an expired token: %v", err)
		}
		if _, _, err := s.CreateToken(t.Context(), actor, accounts.NewToken{Name: "ci"}); err != nil {
			t.Errorf("the name of an expired token is taken: %v", err)
		}
	})
}

// expire moves the end of a token relative to now.
func expire(t *testing.T, db *store.DB, token berth.Token, in time.Duration) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.DeleteToken(token.UserID, token.ID); err != nil {
			return err
		}
		token.ExpiresAt = tx.Now.Add(in)
		return tx.InsertToken(token)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUseRenewsALoginOnceAMinute(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		text, _, token := login(t, s)
		token.LastUsedAt = time.Now().Add(-2 * time.Minute)
		expire(t, db, token, time.Hour)
		after := func() berth.Token {
			_, _, _, err := s.Authenticate(t.Context(), text)
			if err != nil {
				t.Fatal(err)
			}
			_, _, now, err := s.Authenticate(t.Context(), text)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		first := after()
		if left := time.Until(first.ExpiresAt); left < accounts.LoginLifetime-time.Hour {
			t.Errorf("the login was not renewed: %s left", left)
		}
		if second := after(); !second.LastUsedAt.Equal(first.LastUsedAt) {
			t.Error("the use was written twice in a minute")
		}
	})
}

func TestAnothersTokens(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, _ := setUp(t, db)
		_, owner, token := login(t, s)
		eve := berth.User{ID: berth.NewID[berth.User](), Username: "eve", Email: "eve@example.com", Status: berth.UserActive, CreatedAt: time.Now(), UpdatedAt: time.Now()}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(eve, "") }); err != nil {
			t.Fatal(err)
		}
		actor := authz.User(authz.Who{User: eve}, authz.ScopeAll)
		if err := s.RemoveToken(t.Context(), actor, "", string(token.ID)); !errors.Is(err, berth.NotFound) {
			t.Errorf("eve removes ada's token: %v, want not_found", err)
		}
		if err := s.Logout(t.Context(), actor, token); err != nil {
			t.Errorf("logout with a foreign token: %v", err)
		}
		if list, err := s.Tokens(t.Context(), owner, ""); err != nil || len(list) != 1 {
			t.Errorf("ada's tokens = %d, %v", len(list), err)
		}
		inside := authz.User(authz.Who{User: eve}, authz.ScopeWorkspace)
		if _, _, err := s.CreateToken(t.Context(), inside, accounts.NewToken{Name: "more"}); err == nil {
			t.Error("a workspace's token made a token")
		}
		if _, err := s.Tokens(t.Context(), authz.Actor{}, ""); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("nobody lists tokens: %v", err)
		}
	})
}
