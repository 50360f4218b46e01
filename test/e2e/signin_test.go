package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/test/harness"
)

// A person signs in by an OpenID Connect provider in a real browser, on the way
// to letting a command line in.
func TestSignInByBrowser(t *testing.T) {
	t.Parallel()
	harness.NeedBrowser(t)
	oauth := oauthtest.Start(t)
	oauth.Set(func(set *oauthtest.Settings) {
		set.Page = true
		set.Claims = map[string]any{"sub": "s-1", "preferred_username": "ana.b", "email": "ana@example.com", "email_verified": true}
	})
	text, err := json.Marshal([]any{oauth.SignIn("oidc", "corp", map[string]any{"name": "Corp"})})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sign-in.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := servertest.Start(t, func(o *server.Options) { o.SignIn = file })
	s.FirstUser(t)
	c, verifier := s.Client(t, ""), berth.NewSecret()
	asked, err := c.AskLogin(t.Context(), api.AskLogin{Challenge: berth.Challenge(verifier), Client: "berth on laptop"})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Focus                   bool
		Asked, Facts, Code, Who string
		Violations              []string
	}
	harness.Browser(t, "signin.mjs", map[string]string{"url": s.URL, "path": strings.TrimPrefix(asked.URL, s.URL), "shot": os.Getenv("BERTH_SHOT")}, &got)
	if !got.Focus || !strings.Contains(got.Asked, "as ana-b?") || !strings.Contains(got.Facts, "berth on laptop") || got.Who != "You are ana-b" || len(got.Violations) > 0 {
		t.Errorf("%+v", got)
	}
	in, err := c.FinishLogin(t.Context(), asked.ID, api.FinishLogin{Verifier: verifier, Code: got.Code})
	if err != nil || in.User.Username != "ana-b" {
		t.Fatalf("%+v, %v", in, err)
	}
	if me, err := s.Client(t, in.Token).Me(t.Context()); err != nil || me.Email != "ana@example.com" {
		t.Errorf("%+v, %v", me, err)
	}
}
