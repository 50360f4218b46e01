package signin

import (
	"encoding/json"
	"testing"

	"github.com/berthdev/berth/internal/clientfile"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
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
