package providers_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

var member = authz.User(authz.Who{User: berth.User{ID: berth.NewID[berth.User](), Username: "mel"}}, authz.ScopeAll)

func TestBuiltInIsMadeOnce(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			db := storetest.Open(t, url)
			wg.Go(func() {
				if err := providers.New(db).EnsureBuiltIn(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := providers.New(storetest.Open(t, url)).List(t.Context(), member)
		if err != nil || len(list) != 1 || !list[0].Provider.Default {
			t.Fatalf("providers = %+v, %v", list, err)
		}
	})
}

func TestStatusSaysWhy(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s := providers.New(db)
		if err := s.EnsureBuiltIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		status := func() providers.View {
			t.Helper()
			list, err := s.List(t.Context(), member)
			if err != nil {
				t.Fatal(err)
			}
			return list[0]
		}
		if v := status(); v.Status != providers.Pending || v.Reason == "" {
			t.Errorf("before any call: %+v", v)
		}
		hello := func(id, problem string) {
			t.Helper()
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				p, err := tx.ProviderRef("")
				if err != nil {
					return err
				}
				return tx.PutRunner(store.Runner{ID: id, ProviderID: p.ID, Slots: 4, Problem: problem})
			}); err != nil {
				t.Fatal(err)
			}
		}
		hello("one", "terraform is missing: install it")
		if v := status(); v.Status != providers.Failing || v.Reason != "terraform is missing: install it" || v.Slots != 0 {
			t.Errorf("a runner with a problem: %+v", v)
		}
		hello("two", "")
		if v := status(); v.Status != providers.Ready || v.Reason != "" || v.Runners != 2 || v.Slots != 4 {
			t.Errorf("a runner that can: %+v", v)
		}
	})
}

func TestRunnerTokens(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, replica := providers.New(db), providers.New(db)
		if err := s.EnsureBuiltIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		token := func(s *providers.Service) string {
			text, err := s.BuiltInToken(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		first, other := token(s), token(replica)
		if p, err := s.Authenticate(t.Context(), first); err != nil || p.Name != berth.BuiltInProvider {
			t.Errorf("the built-in token: %+v, %v", p, err)
		}
		if _, err := replica.Authenticate(t.Context(), other); err != nil {
			t.Errorf("a replica's own token: %v", err)
		}
		second := token(s)
		for _, wrong := range []string{"", "berthp_", first, other, second + "x", strings.Repeat("berthp_", 100), "berth_x"} {
			if _, err := s.Authenticate(t.Context(), wrong); !errors.Is(err, berth.Unauthenticated) {
				t.Errorf("token %.20q: %v, want unauthenticated", wrong, err)
			}
		}
		if _, err := providers.New(db).Authenticate(t.Context(), "berthp_"); !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("no built-in token was made: %v", err)
		}
	})
}

func TestNobodySeesProviders(t *testing.T) {
	t.Parallel()
	s := providers.New(storetest.SQLite(t))
	if _, err := s.List(t.Context(), authz.Actor{}); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("nobody lists providers: %v", err)
	}
}
