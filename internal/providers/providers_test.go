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

var mel = berth.User{ID: berth.NewID[berth.User](), Username: "mel"}

// all sees every provider.
var all = authz.User(authz.Who{User: berth.User{ID: "tam", Username: "tam", Roles: []berth.Role{berth.RoleTemplateAdmin}}}, authz.ScopeAll)

func TestBuiltInIsMadeOnce(t *testing.T) {
	t.Parallel()
	storetest.URLs(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			db := storetest.Open(t, url)
			wg.Go(func() {
				if err := providers.New(db).EnsureBuiltIn(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := providers.New(storetest.Open(t, url)).List(t.Context(), all)
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
		if err := s.EnsureBuiltIn(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		status := func() providers.View {
			t.Helper()
			list, err := s.List(t.Context(), all)
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
		if err := s.EnsureBuiltIn(t.Context(), nil); err != nil {
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

// Members of an organization use and see the providers that it may use.
func TestOrganizationsUseWhatTheyAreAllowed(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		s, w := providers.New(db), storetest.Seed(t, db)
		acme := berth.Organization{ID: berth.NewID[berth.Organization](), Name: "acme"}
		var far, near berth.Provider
		write := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := db.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *store.Tx) error {
			acme.CreatedAt = tx.Now
			far = berth.Provider{ID: berth.NewID[berth.Provider](), Name: "far", CreatedAt: tx.Now}
			near = berth.Provider{ID: berth.NewID[berth.Provider](), Name: "near", CreatedAt: tx.Now.Add(1000)}
			return errors.Join(tx.InsertOrganization(acme), tx.InsertProvider(far, []byte("far")), tx.InsertProvider(near, []byte("near")))
		})
		member := authz.User(authz.Who{User: mel}.In(acme.ID), authz.ScopeAll)
		resolve := func(who authz.Actor, ref string) (p berth.Provider, err error) {
			_ = db.Read(t.Context(), func(q *store.Query) error {
				p, err = providers.Resolve(q, who, acme.ID, ref)
				return nil
			})
			return p, err
		}
		sees := func(who authz.Actor) (names string) {
			t.Helper()
			list, err := s.List(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				names += v.Provider.Name + " "
			}
			return names
		}
		if p, err := resolve(member, ""); err != nil || p.ID != w.Provider.ID {
			t.Errorf("a new organization uses %+v, %v", p, err)
		}
		for _, ref := range []string{"far", string(far.ID), "nothing"} {
			if _, err := resolve(member, ref); !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "has no workspace provider") {
				t.Errorf("%s: %v", ref, err)
			}
		}
		write(func(tx *store.Tx) error {
			_, a := tx.AllowProvider(acme.ID, near.ID)
			_, b := tx.AllowProvider(acme.ID, far.ID)
			_, c := tx.DenyProvider(acme.ID, w.Provider.ID)
			return errors.Join(a, b, c)
		})
		for ref, want := range map[string]berth.ProviderID{"": far.ID, "FAR": far.ID, "near": near.ID, string(near.ID): near.ID} {
			if p, err := resolve(member, ref); err != nil || p.ID != want {
				t.Errorf("%q is %+v, %v", ref, p, err)
			}
		}
		if _, err := resolve(member, berth.BuiltInProvider); !errors.Is(err, berth.Invalid) {
			t.Errorf("one that was denied: %v", err)
		}
		if _, err := resolve(authz.User(authz.Who{User: mel}, authz.ScopeAll), "far"); !errors.Is(err, berth.NotFound) {
			t.Errorf("a stranger uses one: %v", err)
		}
		for who, want := range map[*authz.Actor]string{&member: "far near ", &all: "built-in far near ", new(authz.User(authz.Who{User: mel}, authz.ScopeAll)): ""} {
			if got := sees(*who); got != want {
				t.Errorf("%s sees %q, want %q", who.Username, got, want)
			}
		}
		write(func(tx *store.Tx) error {
			_, a := tx.DenyProvider(acme.ID, far.ID)
			_, b := tx.DenyProvider(acme.ID, near.ID)
			return errors.Join(a, b)
		})
		if _, err := resolve(member, ""); !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "may use no workspace provider") {
			t.Errorf("without any: %v", err)
		}
	})
}
