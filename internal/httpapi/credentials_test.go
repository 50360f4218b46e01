package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// withOcto is a server that offers the sign-in octo, and its whole log.
func withOcto(t *testing.T) (*servertest.Server, *oauthtest.Server, *lines) {
	t.Helper()
	oauth, log := oauthtest.Start(t), &lines{}
	file := filepath.Join(t.TempDir(), "external.json")
	if err := os.WriteFile(file, []byte(oauth.Config("octo", `git\.example\.com`)), 0o600); err != nil {
		t.Fatal(err)
	}
	return servertest.Start(t, func(o *server.Options) {
		o.ExternalAuth, o.Log = file, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}), oauth, log
}

// browser is a person's, with cookies. It tells where a request comes from, as
// browsers do, and follows redirects.
type browser struct {
	*http.Client
	s *servertest.Server
}

func newBrowser(t *testing.T, s *servertest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, s}
}

func (b *browser) signIn(t *testing.T, username string) {
	t.Helper()
	if status, text := b.open(t, "POST", b.s.URL+api.Prefix+"/login", "same-origin", `{"username":"`+username+`","password":"`+servertest.Password+`","cookie":true}`); status != 200 {
		t.Fatalf("signing in: %d %s", status, text)
	}
}

func (b *browser) open(t *testing.T, method, address, site, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", site)
	w, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(text)
}

var shownCode = regexp.MustCompile(`<code>([A-Z2-7]{4}-[A-Z2-7]{4})</code>`)

func linked(t *testing.T, c *client.Client) bool {
	t.Helper()
	p, err := c.ExternalAuths(t.Context())
	if err != nil || len(p.Items) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	return p.Items[0].Linked
}

// A person signs in with the browser in which they are signed in to Berth. Pages
// of others cannot begin it, and cannot use a finished one again.
func TestExternalSignInByBrowser(t *testing.T) {
	t.Parallel()
	s, _, _ := withOcto(t)
	c, _ := s.FirstUser(t)
	b, page := newBrowser(t, s), s.URL+"/external-auth/octo"
	if status, text := b.open(t, "GET", page, "none", ""); status != 401 || !strings.Contains(text, "Sign in to Berth first") {
		t.Errorf("signed out: %d %s", status, text)
	}
	b.signIn(t, "admin")
	if status, text := b.open(t, "GET", page, "cross-site", ""); status != 200 || !strings.Contains(text, `<form method="post"`) || linked(t, c) {
		t.Errorf("the page: %d %s", status, text)
	}
	for _, site := range []string{"cross-site", "same-site", "none"} {
		if status, _ := b.open(t, "POST", page, site, ""); status != 401 || linked(t, c) {
			t.Errorf("begun by a page of %s: %d", site, status)
		}
	}
	var last *url.URL
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error { last = r.URL; return nil }
	if status, text := b.open(t, "POST", page, "same-origin", ""); status != 200 || !strings.Contains(text, "signed in to Octo as octo") || !linked(t, c) {
		t.Errorf("by our page: %d %s", status, text)
	}
	if status, text := b.open(t, "GET", last.String(), "cross-site", ""); status != 409 || !strings.Contains(text, "begin again") {
		t.Errorf("replayed: %d %s", status, text)
	}
	if status, text := b.open(t, "GET", s.URL+"/external-auth/none", "none", ""); status != 404 || strings.Contains(text, "<form") {
		t.Errorf("a service that is not there: %d %s", status, text)
	}
	// Nothing of the query decides where the browser goes, or is shown as it is.
	for _, query := range []string{"?state=x&code=y&redirect_uri=https://evil.example", "?next=//evil.example", "?error=<script>alert(1)</script>&state=x"} {
		status, text := b.open(t, "GET", page+"/callback"+query, "cross-site", "")
		if status != 409 || strings.Contains(text, "evil") || strings.Contains(text, "<script") || last.Host == "evil.example" {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

// Eve's link, opened by somebody else, gives eve nothing.
func TestExternalSignInOfAnotherBrowser(t *testing.T) {
	t.Parallel()
	s, _, _ := withOcto(t)
	c, _ := s.FirstUser(t)
	eve, victim := newBrowser(t, s), newBrowser(t, s)
	eve.signIn(t, "admin")
	var stop *url.URL
	eve.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/authorize" {
			stop = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	eve.open(t, "POST", s.URL+"/external-auth/octo", "same-origin", "")
	if status, _ := victim.open(t, "GET", stop.String(), "none", ""); status != 409 || linked(t, c) {
		t.Errorf("by browser: %d, linked %v", status, linked(t, c))
	}
	begun, err := c.BeginExternal(t.Context(), "octo")
	if err != nil {
		t.Fatal(err)
	}
	status, text := victim.open(t, "GET", begun.URL, "none", "")
	code := shownCode.FindStringSubmatch(text)
	if status != 200 || code == nil || !strings.Contains(text, "the Berth user admin") || linked(t, c) {
		t.Fatalf("by command line: %d %s", status, text)
	}
	if err := c.FinishExternal(t.Context(), "octo", api.FinishExternal{Attempt: begun.Attempt, Code: strings.ToLower(code[1])}); err != nil || !linked(t, c) {
		t.Errorf("who has the code finishes: %v", err)
	}
}

// inside is a started workspace: its own login, and its agent's token.
func inside(t *testing.T, s *servertest.Server, c *client.Client, name string) (session, agent string, w api.Workspace) {
	t.Helper()
	sessions := make(chan string, 1)
	r := s.Runner(t)
	r.Hold = func(_ context.Context, job api.Job) string {
		if text := job.Env["CODER_WORKSPACE_OWNER_SESSION_TOKEN"]; text != "" {
			select {
			case sessions <- text:
			default:
			}
		}
		return ""
	}
	servertest.Push(t, c, "plain")
	w = servertest.Create(t, c, "plain", name)
	return <-sessions, r.AgentToken("admin/" + name), w
}

// A workspace's login works as its owner's while the workspace runs, for little.
func TestWorkspaceLogin(t *testing.T) {
	t.Parallel()
	s, oauth, log := withOcto(t)
	c, _ := s.FirstUser(t)
	session, agentToken, w := inside(t, s, c, "dev")
	in := s.Client(t, session)
	if me, err := in.Me(t.Context()); err != nil || me.Username != "admin" {
		t.Fatalf("me: %+v, %v", me, err)
	}
	if k, err := in.SSHKey(t.Context()); err != nil || !strings.HasPrefix(k.PublicKey, "ssh-ed25519") {
		t.Errorf("the public key: %+v, %v", k, err)
	}
	if m, err := in.MatchExternal(t.Context(), "https://git.example.com/a/b.git"); err != nil || m.ID != "octo" || m.Username != "oauth2" {
		t.Errorf("match: %+v, %v", m, err)
	}
	_, err := in.ExternalToken(t.Context(), "octo")
	if !errors.Is(err, berth.Conflict) || !strings.Contains(err.Error(), s.URL+"/external-auth/octo") {
		t.Errorf("before the sign-in: %v", err)
	}
	b := newBrowser(t, s)
	b.signIn(t, "admin")
	b.open(t, "POST", s.URL+"/external-auth/octo", "same-origin", "")
	token, err := in.ExternalToken(t.Context(), "octo")
	if err != nil || !oauth.Good(token.AccessToken) || token.Username != "oauth2" {
		t.Errorf("the token: %v", err)
	}
	value := "a-secret-value"
	env := "TOKEN_X"
	if _, err := c.PutSecret(t.Context(), "x", api.PutSecret{Value: &value, Env: &env}); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"secrets":    second(in.Secrets(t.Context())),
		"put":        second(in.PutSecret(t.Context(), "x", api.PutSecret{Value: &value})),
		"remove":     in.RemoveSecret(t.Context(), "x"),
		"regenerate": second(in.RegenerateSSHKey(t.Context())),
		"token":      second(in.CreateToken(t.Context(), api.CreateToken{Name: "mine"})),
		"begin":      second(in.BeginExternal(t.Context(), "octo")),
		"revoke":     second(in.RevokeExternal(t.Context(), "octo")),
		"dotfiles":   second(in.SetPreferences(t.Context(), api.Preferences{Dotfiles: &value})),
	} {
		if !errors.Is(err, berth.Forbidden) && !errors.Is(err, berth.NotFound) {
			t.Errorf("a workspace may do %s: %v", what, err)
		}
	}
	compatible(t, s, session, agentToken, token.AccessToken)

	// It ends when a stop is asked for, whoever has it.
	if _, err := c.CreateBuild(t.Context(), w.ID, api.CreateBuild{Transition: "stop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Me(t.Context()); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("after the stop was asked for: %v", err)
	}
	list, err := c.Tokens(t.Context(), "")
	if err != nil || strings.Contains(fmt.Sprint(list), "workspace") {
		t.Errorf("tokens after the stop: %+v, %v", list, err)
	}
	text := log.String()
	for _, secret := range append(oauth.Secrets(), session, agentToken, value, "PRIVATE KEY") {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}

// compatible walks the paths that public modules call.
func compatible(t *testing.T, s *servertest.Server, session, agent, token string) {
	t.Helper()
	for _, c := range []struct {
		path, bearer string
		status       int
		has          string
	}{
		{"/api/v2/users/me/gitsshkey", session, 200, `"public_key":"ssh-ed25519`},
		{"/api/v2/users/me/gitsshkey", agent, 401, ""},
		{"/api/v2/users/me/gitsshkey", "", 401, ""},
		{"/api/v2/users/me/gitsshkey", "berth_nonsense", 401, ""},
		{"/api/v2/workspaceagents/me/gitsshkey", agent, 200, `"public_key":"ssh-ed25519`},
		{"/api/v2/workspaceagents/me/gitsshkey", session, 401, ""},
		{"/api/v2/workspaceagents/me/gitsshkey", "", 401, ""},
		{"/api/v2/init-script/linux/amd64", "", 200, s.URL + "/bin/berth-agent-linux-amd64"},
		{"/api/v2/init-script/windows/amd64", "", 404, "linux/amd64"},
		{"/api/v2/workspaceagents/me/external-auth?id=octo", session, 200, token},
		{"/api/v2/workspaceagents/me/external-auth?match=https://git.example.com/x", session, 200, token},
		{"/api/v2/workspaceagents/me/external-auth?id=none", session, 404, ""},
		{"/api/v2/workspaceagents/me/external-auth?id=octo", agent, 401, ""},
		{"/api/v2/workspaceagents/me/external-auth?id=octo", "", 401, ""},
	} {
		for header, value := range map[string]string{"Authorization": "Bearer " + c.bearer, "Coder-Session-Token": c.bearer, "Cookie": "coder_session_token=" + c.bearer} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(header, value)
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(w.Body)
			w.Body.Close()
			if w.StatusCode != c.status || !strings.Contains(string(text), c.has) || strings.Contains(string(text), "PRIVATE") {
				t.Errorf("%s with %s: %d %s", c.path, header, w.StatusCode, text)
			}
		}
	}
}

// Secrets' values are in no answer.
func TestSecretsAreNeverAnswered(t *testing.T) {
	t.Parallel()
	s, _, log := withOcto(t)
	c, token := s.FirstUser(t)
	value, env := "hunter2-very-secret", "X"
	if _, err := c.PutSecret(t.Context(), "x", api.PutSecret{Value: &value, Env: &env}); err != nil {
		t.Fatal(err)
	}
	list, err := c.Secrets(t.Context())
	if text, _ := json.Marshal(list); err != nil || strings.Contains(string(text), value) {
		t.Errorf("%s, %v", text, err)
	}
	// Wrong input is not repeated either.
	w, p := call(t, s, "PUT", "/secrets/x", `{"value":["`+value+`"]}`, "Authorization", "Bearer "+token)
	if w.StatusCode != 400 || strings.Contains(p.Detail, value) {
		t.Errorf("%d %+v", w.StatusCode, p)
	}
	if strings.Contains(log.String(), value) {
		t.Error("the log has the value")
	}
}

func second[T any](_ T, err error) error { return err }
