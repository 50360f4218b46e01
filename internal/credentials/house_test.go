package credentials_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

// house is a service on a database with two people, and a provider.
type house struct {
	*credentials.Service
	db    *store.DB
	keys  *seal.Keys
	oauth *oauthtest.Server
	world storetest.World
	ada   authz.Actor
	eve   authz.Actor
	log   *bytes.Buffer
}

func setUp(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{db: db, oauth: oauthtest.Start(t), world: storetest.Seed(t, db), log: &bytes.Buffer{}}
	keys, err := seal.Load(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h.keys = keys
	h.ada = authz.User(authz.Who{User: h.world.User}, authz.ScopeAll)
	eve := berth.User{ID: berth.NewID[berth.User](), Username: "eve", Email: "eve@example.com", Status: berth.UserActive}
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		eve.CreatedAt, eve.UpdatedAt = tx.Now, tx.Now
		return tx.InsertUser(eve, "")
	}); err != nil {
		t.Fatal(err)
	}
	h.eve = authz.User(authz.Who{User: eve}, authz.ScopeAll)
	h.Service = h.replica(t, db)
	return h
}

// replica is another service on the same data.
func (h *house) replica(t *testing.T, db *store.DB) *credentials.Service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "external.json")
	if err := os.WriteFile(file, []byte(h.oauth.Config("octo", `git\.example\.com`)), 0o600); err != nil {
		t.Fatal(err)
	}
	providers, err := credentials.LoadProviders(file)
	if err != nil {
		t.Fatal(err)
	}
	return credentials.New(db, h.keys, credentials.Options{AccessURL: "https://berth.test", Providers: providers, Log: slog.New(slog.NewTextHandler(h.log, nil))})
}

// browse goes where a browser is sent, and gives what the provider sends back.
func browse(t *testing.T, address string) url.Values {
	t.Helper()
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), "https://berth.test/external-auth/octo/callback?") {
		t.Fatalf("the provider sent the browser to %q, %v", res.Header.Get("Location"), err)
	}
	return to.Query()
}

// signIn signs a person in at the provider, by command line.
func (h *house) signIn(t *testing.T, who authz.Actor) {
	t.Helper()
	b, err := h.Begin(t.Context(), who, "octo", false)
	if err != nil {
		t.Fatal(err)
	}
	back := browse(t, b.URL)
	came, err := h.Returned(t.Context(), credentials.Return{Provider: "octo", State: back.Get("state"), Code: back.Get("code")})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Finish(t.Context(), who, "octo", b.ID, came.Code); err != nil {
		t.Fatal(err)
	}
}

// audited is the whole record as one text.
func audited(t *testing.T, db *store.DB) (text string) {
	t.Helper()
	err := db.Read(context.Background(), func(q *store.Query) error {
		page, err := store.NewPage("", 100)
		if err != nil {
			return err
		}
		list, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, page)
		for _, a := range list {
			text += strings.Join([]string{a.Action, a.Kind, a.TargetName}, " ") + " "
			for k, v := range a.Detail {
				text += k + "=" + strings.TrimSpace(strings.ReplaceAll(stringOf(v), "\n", " ")) + " "
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}
