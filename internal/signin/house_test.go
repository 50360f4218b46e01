package signin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/clientfile"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// described is a provider of an entry of the file.
func described(t testing.TB, entry map[string]any) (*Provider, error) {
	t.Helper()
	text, err := json.Marshal([]map[string]any{entry})
	if err != nil {
		t.Fatal(err)
	}
	list, err := clientfile.Parse[Provider](text, t.TempDir())
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// openIDOf is a server and its description, with more said.
func openIDOf(t testing.TB, more map[string]any) (*oauthtest.Server, *Provider) {
	t.Helper()
	s := oauthtest.Start(t)
	s.Set(func(set *oauthtest.Settings) {
		set.Claims = map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "email_verified": true}
	})
	p, err := described(t, s.SignIn("oidc", "corp", more))
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// house is the service on one database, with a provider that knows ana.
type house struct {
	*testing.T
	*Service
	db       *store.DB
	keys     *seal.Keys
	accounts *accounts.Service
	oauth    *oauthtest.Server
	provider *Provider
}

// each runs a test on both engines.
func each(t *testing.T, more map[string]any, test func(h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		h := &house{T: t, db: open(t)}
		keys, err := seal.Load(filepath.Join(t.TempDir(), "keys"))
		h.must(err)
		h.keys, h.accounts = keys, accounts.New(h.db)
		h.must(h.accounts.EnsureDefaults(t.Context()))
		h.oauth, h.provider = openIDOf(t, more)
		h.Service = h.replica()
		test(h)
	})
}

// replica is another service on the same data.
func (h *house) replica() *Service {
	return New(h.db, h.keys, Options{AccessURL: "https://berth.test", Providers: []*Provider{h.provider}, Accounts: h.accounts,
		Log: slog.New(slog.DiscardHandler)})
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.Helper()
	h.must(h.db.Write(h.Context(), f))
}

// is says who the provider speaks of from now on.
func (h *house) is(claims map[string]any) {
	h.oauth.Set(func(set *oauthtest.Settings) { set.Claims = claims })
}

// browse goes where a browser is sent, and brings what the provider sends back.
func (h *house) browse(begun Begun) Return {
	h.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := browser.Get(begun.URL)
	h.must(err)
	w.Body.Close()
	back, err := url.Parse(w.Header.Get("Location"))
	h.must(err)
	if back.Path != "/login/corp/callback" || back.Host != "berth.test" {
		h.Fatalf("%d, back to %s", w.StatusCode, back)
	}
	return Return{Provider: "corp", State: back.Query().Get("state"), Code: back.Query().Get("code"), Nonce: begun.Nonce}
}

func (h *house) begin() Begun {
	h.Helper()
	begun, err := h.Begin(h.Context(), Begin{Provider: "corp", ReturnTo: "/x?y=z", Address: "192.0.2.1:1"})
	h.must(err)
	return begun
}

// signIn is a whole sign-in.
func (h *house) signIn() (Came, error) {
	h.Helper()
	return h.Returned(h.Context(), h.browse(h.begin()))
}

// in is a sign-in that goes well.
func (h *house) in() Came {
	h.Helper()
	came, err := h.signIn()
	h.must(err)
	return came
}

// made is a user whom an administrator made.
func (h *house) made(name string, how berth.SignIn, roles ...berth.Role) (u berth.User) {
	h.Helper()
	h.write(func(tx *store.Tx) (err error) {
		u, err = accounts.NewUserIn(tx, accounts.NewUser{Username: name, Email: name + "@example.com", SignIn: how, Roles: roles})
		return err
	})
	return u
}

// user reads a user, with what they belong to.
func (h *house) user(id berth.UserID) (w authz.Who) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) error {
		u, err := q.User(id)
		if err != nil {
			return err
		}
		w, err = accounts.WhoIs(q, u)
		return err
	}))
	return w
}

// good tells whether the text of a login is.
func (h *house) good(text string) bool {
	_, _, _, err := h.accounts.Authenticate(h.Context(), text)
	return err == nil
}

func (h *house) identity(subject string) (i store.Identity) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(q *store.Query) (err error) {
		i, err = q.Identity("corp", subject)
		return err
	}))
	return i
}

// soon makes all identities due.
func (h *house) soon() {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		i, err := tx.Identity("corp", "s-1")
		if err != nil {
			return err
		}
		i.NextAt = tx.Now.Add(-1)
		return tx.PutIdentity(i)
	})
}

// change changes a user.
func (h *house) change(id berth.UserID, f func(u *berth.User)) {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		f(&u)
		return tx.UpdateUser(u)
	})
}
