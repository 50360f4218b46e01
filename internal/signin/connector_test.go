package signin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
)

// come is a sign-in as far as the connector goes: the browser is sent there,
// comes back, and its code is exchanged.
func come(t *testing.T, p *Provider) (answer, error) {
	t.Helper()
	s := secrets{Redirect: "http://berth.test/login/corp/callback", State: "the-state", Verifier: strings.Repeat("v", 43), Nonce: "the-nonce"}
	to, err := p.authorize(t.Context(), s)
	if err != nil {
		return answer{}, err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	back, err := url.Parse(w.Header.Get("Location"))
	if err != nil || back.Query().Get("state") != "the-state" || back.Query().Get("code") == "" {
		t.Fatalf("%d, back to %q, %v", w.StatusCode, back, err)
	}
	return p.exchange(t.Context(), s, back.Query().Get("code"))
}

func TestOpenID(t *testing.T) {
	t.Parallel()
	s, p := openIDOf(t, nil)
	s.Set(func(set *oauthtest.Settings) {
		set.Userinfo = map[string]any{"email": "new@example.com", "groups": []string{"a"}, "aud": "eve", "nonce": "eve"}
	})
	a, err := come(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if a.claims["sub"] != "s-1" || a.claims["preferred_username"] != "ana" || a.claims["email"] != "new@example.com" || a.claims["aud"] != oauthtest.ClientID || a.tokens.Refresh == "" {
		t.Errorf("%+v", a)
	}
	old := a.tokens
	if a, err = p.refresh(t.Context(), old); err != nil || a.claims["sub"] != "s-1" || a.tokens.Access == old.Access || a.tokens.Refresh == old.Refresh {
		t.Errorf("refreshed: %+v, %v", a, err)
	}
	if _, err := p.refresh(t.Context(), old); !errors.Is(err, errRefused) {
		t.Errorf("an old refresh token: %v", err)
	}
	if n := s.Count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("it was asked %d times for what it is", n)
	}
	no := false
	p.Userinfo = &no
	if a, err = come(t, p); err != nil || a.claims["email"] != "ana@example.com" {
		t.Errorf("without userinfo: %+v, %v", a, err)
	}
}

// What an evil or broken provider says is not taken, and none of it is repeated
// to the person.
func TestEvilProvider(t *testing.T) {
	t.Parallel()
	type settings = oauthtest.Settings
	claim := func(name string, value any) func(*settings) {
		return func(set *settings) { set.Evil = func(c map[string]any) { c[name] = value } }
	}
	without := func(name string) func(*settings) {
		return func(set *settings) { set.Evil = func(c map[string]any) { delete(c, name) } }
	}
	says := func(name string, value any) func(*settings) {
		return func(set *settings) { set.Discover = func(d map[string]any) { d[name] = value } }
	}
	long := func(path string) func(*settings) {
		return func(set *settings) { set.Long = map[string]bool{path: true} }
	}
	slow := func(path string) func(*settings) {
		return func(set *settings) { set.Slow = map[string]time.Duration{path: time.Minute} }
	}
	for what, evil := range map[string]func(*settings){
		"not signed":                    func(set *settings) { set.Sign = "none" },
		"signed with the client secret": func(set *settings) { set.Sign = "secret" },
		"signed by somebody else":       func(set *settings) { set.Sign = "other" },
		"no id_token":                   func(set *settings) { set.NoID = true },
		"another issuer":                claim("iss", "https://evil.example"),
		"another client":                claim("aud", "another"),
		"many clients":                  claim("aud", []string{oauthtest.ClientID, "another"}),
		"made for another client":       claim("azp", "another"),
		"no client":                     without("aud"),
		"of another sign-in":            claim("nonce", "x"),
		"of no sign-in":                 without("nonce"),
		"over":                          claim("exp", time.Now().Add(-time.Hour).Unix()),
		"for ever":                      without("exp"),
		"not yet":                       claim("nbf", time.Now().Add(time.Hour).Unix()),
		"another access token":          claim("at_hash", "x"),
		"userinfo of somebody else":     func(set *settings) { set.Userinfo = map[string]any{"sub": "s-2"} },
		"userinfo of a list":            func(set *settings) { set.Userinfo = map[string]any{"sub": []string{"s-1"}} },
		"is another issuer":             says("issuer", "https://evil.example"),
		"sends browsers to a script":    says("authorization_endpoint", "javascript:alert(1)"),
		"sends browsers without TLS":    says("authorization_endpoint", "http://evil.example/authorize"),
		"wants secrets without TLS":     says("token_endpoint", "http://evil.example/token"),
		"has keys without TLS":          says("jwks_uri", "http://evil.example/jwks"),
		"has no token endpoint":         says("token_endpoint", ""),
		"10 MB of description":          long("/.well-known/openid-configuration"),
		"10 MB of tokens":               long("/token"),
		"10 MB of keys":                 long("/jwks"),
		"10 MB of userinfo":             long("/userinfo"),
		"slow description":              slow("/.well-known/openid-configuration"),
		"slow tokens":                   slow("/token"),
		"slow keys":                     slow("/jwks"),
		"slow userinfo":                 slow("/userinfo"),
		"down":                          func(set *settings) { set.Down = true },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, p := openIDOf(t, nil)
			s.Set(evil)
			p.connector.(*openID).http.Timeout = 2 * time.Second
			began := time.Now()
			a, err := come(t, p)
			if !errors.Is(err, berth.Unavailable) || a.claims != nil && a.claims["email"] == "" || time.Since(began) > 30*time.Second {
				t.Fatalf("after %s: %+v, %v", time.Since(began), a, err)
			}
			if m := berth.ErrorMessage(err); strings.Contains(m, "evil") || strings.Contains(m, s.URL) || len(fmt.Sprint(err)) > 1000 {
				t.Errorf("the error tells too much: %v", err)
			}
			for _, secret := range s.Secrets() {
				if strings.Contains(fmt.Sprint(err), secret) {
					t.Errorf("the error has a secret in it: %v", err)
				}
			}
		})
	}
}

// A provider that was away is there again without a restart.
func TestProviderComesBack(t *testing.T) {
	t.Parallel()
	s, p := openIDOf(t, nil)
	o := p.connector.(*openID)
	s.Set(func(set *oauthtest.Settings) { set.Down = true })
	for range 3 {
		if _, err := come(t, p); !errors.Is(err, berth.Unavailable) {
			t.Fatal(err)
		}
	}
	if n := s.Count("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("it was asked %d times within moments", n)
	}
	s.Set(func(set *oauthtest.Settings) { set.Down = false })
	o.at = o.at.Add(-discoverAgain)
	if _, err := come(t, p); err != nil {
		t.Error(err)
	}
	// What it said of itself is good while it is away.
	s.Set(func(set *oauthtest.Settings) { set.Discover = func(d map[string]any) { d["issuer"] = "x" } })
	o.at = o.at.Add(-2 * discoverEvery)
	if _, err := come(t, p); err != nil {
		t.Error(err)
	}
}

// Two clients of one provider must not take each other's words.
func TestClientSecretIsWrong(t *testing.T) {
	t.Parallel()
	_, p := openIDOf(t, map[string]any{"client_secret": "wrong"})
	if _, err := come(t, p); !errors.Is(err, berth.Unavailable) || !strings.Contains(err.Error(), "client_secret") {
		t.Error(err)
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	many := make([]string, 250)
	for i := range many {
		many[i] = fmt.Sprintf("corp/team-%d", i)
	}
	for _, c := range []struct {
		what   string
		may    map[string]any
		is     oauthtest.GitHub
		says   string // in the refusal; empty: comes in
		groups int
	}{
		{"everyone", map[string]any{"allow_everyone": true}, oauthtest.GitHub{ID: 7, Login: "octo-cat", Email: "o@example.com"}, "", -1},
		{"a member", map[string]any{"allowed_organizations": []string{"Corp"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Organizations: []string{"x", "corp"}}, "", 0},
		{"one who is only invited", map[string]any{"allowed_organizations": []string{"corp"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Pending: []string{"corp"}}, "in none of", 0},
		{"a stranger", map[string]any{"allowed_organizations": []string{"corp"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Organizations: []string{"corp2"}}, "in none of", 0},
		{"of many teams", map[string]any{"allowed_teams": []string{"corp/team-249"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Teams: many}, "", 250},
		{"of another team", map[string]any{"allowed_teams": []string{"corp/team"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Teams: many, Organizations: []string{"corp"}}, "in none of", 0},
		{"without a number", map[string]any{"allow_everyone": true}, oauthtest.GitHub{Login: "o", Email: "o@example.com"}, "does not answer", 0},
		{"on a bad day", map[string]any{"allow_everyone": true}, oauthtest.GitHub{ID: 7, Login: "o", Status: 500}, "does not answer", 0},
		{"of too many teams", map[string]any{"allowed_teams": []string{"corp/team"}}, oauthtest.GitHub{ID: 7, Login: "o", Email: "o@example.com", Teams: append(append(append(append(many, many...), many...), many...), many...)}, "more than 1000", 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			s.Set(func(set *oauthtest.Settings) { set.GitHub = c.is })
			p, err := described(t, s.SignIn("github", "gh", c.may))
			if err != nil {
				t.Fatal(err)
			}
			a, err := come(t, p)
			if c.says != "" {
				if err == nil || !strings.Contains(berth.ErrorMessage(err), c.says) {
					t.Fatalf("%+v, %v", a, err)
				}
				return
			}
			groups, told := a.claims["groups"].([]any)
			if err != nil || a.claims["sub"] != "7" || a.claims["email"] != "o@example.com" || told != (c.groups >= 0) || told && len(groups) != c.groups {
				t.Fatalf("%+v, %v", a, err)
			}
			s.Forget()
			if _, err := p.refresh(t.Context(), a.tokens); !errors.Is(err, errRefused) {
				t.Errorf("the person removed the application: %v", err)
			}
		})
	}
	t.Run("an e-mail address that is not verified", func(t *testing.T) {
		t.Parallel()
		s := oauthtest.Start(t)
		s.Set(func(set *oauthtest.Settings) {
			set.GitHub = oauthtest.GitHub{ID: 7, Login: "o", Email: "boss@example.com", Unverified: true}
		})
		p, err := described(t, s.SignIn("github", "gh", map[string]any{"allow_everyone": true}))
		if err != nil {
			t.Fatal(err)
		}
		a, err := come(t, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(a.claims); !errors.Is(err, berth.Forbidden) || !strings.Contains(err.Error(), "not verified") {
			t.Error(err)
		}
	})
}

// An error names the entry and its field, and shows no secret.
func TestProvidersThatAreWrong(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t)
	for _, c := range []struct {
		kind string
		more map[string]any
		says string
	}{
		{"oidc", map[string]any{"id": "password"}, "[0].id"}, {"oidc", map[string]any{"id": "None"}, "[0].id"}, {"oidc", map[string]any{"id": "a/b"}, "[0].id"},
		{"oidc", map[string]any{"type": "saml"}, "[0].type"}, {"oidc", map[string]any{"client_id": ""}, "[0].client_id"},
		{"oidc", map[string]any{"client_secret": ""}, "[0].client_secret"}, {"oidc", map[string]any{"client_secret": "", "client_secret_file": "nowhere"}, "[0].client_secret_file"},
		{"oidc", map[string]any{"issuer": ""}, "[0].issuer"}, {"oidc", map[string]any{"issuer": "http://idp.example"}, "[0].issuer: http://idp.example is not encrypted"},
		{"oidc", map[string]any{"scopes": []string{"email"}}, "[0].scopes"}, {"oidc", map[string]any{"auth_params": map[string]string{"nonce": "1"}}, "[0].auth_params"},
		{"oidc", map[string]any{"recheck": "soon"}, "[0].recheck"}, {"oidc", map[string]any{"recheck": "1s"}, "[0].recheck"},
		{"oidc", map[string]any{"allow_everyone": true}, "[0].type"}, {"oidc", map[string]any{"token_auth": "jwt"}, "[0].token_auth"},
		{"oidc", map[string]any{"groups": map[string]any{"filter": "("}}, "[0].groups.filter"}, {"oidc", map[string]any{"group": 1}, "unknown field"},
		{"github", nil, "[0].allowed_organizations"}, {"github", map[string]any{"allowed_teams": []string{"x"}}, "[0].allowed_teams"},
		{"github", map[string]any{"allow_everyone": true, "allowed_teams": []string{"x/y"}}, "[0].allow_everyone"},
		{"github", map[string]any{"allow_everyone": true, "issuer": "https://x.example"}, "[0].issuer"},
	} {
		_, err := described(t, s.SignIn(c.kind, "corp", c.more))
		if !errors.Is(err, berth.Invalid) || !strings.Contains(berth.ErrorMessage(err), c.says) || strings.Contains(err.Error(), oauthtest.ClientSecret) {
			t.Errorf("%v: %v", c.more, err)
		}
	}
}
