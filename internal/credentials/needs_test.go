package credentials_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/store"
)

// Builds are told of the secrets that their template asks for, and of no others.
func TestSecretsInBuilds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		at := h.start(t, "web")
		need := []berth.SecretNeed{{Env: "NPM_TOKEN", Help: "See the wiki."}, {File: "~/.license", Help: "Ask.", Optional: true}}
		kept := func() error {
			return h.db.Read(t.Context(), func(q *store.Query) error { return h.Kept(q, h.ada.UserID, need) })
		}
		put := func(name, env, file, value string, disabled bool) {
			t.Helper()
			if _, err := h.PutSecret(t.Context(), h.ada, credentials.SecretInput{Name: name, Env: &env, File: &file, Value: &value, Disabled: &disabled}); err != nil {
				t.Fatal(err)
			}
		}
		says := func(err error, parts ...string) {
			t.Helper()
			if !errors.Is(err, berth.Conflict) {
				t.Errorf("got %v", err)
				return
			}
			for _, part := range parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		}
		says(kept(), "NPM_TOKEN", "See the wiki", "berth secrets set NAME --env NPM_TOKEN")
		put("npm", "NPM_TOKEN", "", "n", true)
		says(kept(), "npm", "disabled", "berth secrets enable npm")
		put("npm", "NPM_TOKEN", "", "n", false)
		put("license", "", "~/.license", "l", false)
		put("other", "OTHER", "", "o", false)
		if err := kept(); err != nil {
			t.Error(err)
		}
		var env map[string]string
		if err := h.db.Read(t.Context(), func(q *store.Query) (err error) {
			env, err = h.BuildEnv(q, at, berth.Contents{Secrets: need})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if env["CODER_SECRET_ENV_NPM_TOKEN"] != "n" || env["CODER_SECRET_FILE_7e2f2e6c6963656e7365"] != "l" || env["CODER_SECRET_ENV_OTHER"] != "" {
			t.Errorf("%v", env)
		}
	})
}
