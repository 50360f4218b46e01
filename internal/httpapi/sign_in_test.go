package httpapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
)

// withCorp is a server whose people sign in by the provider corp.
func withCorp(t *testing.T, change ...func(*server.Options)) (*servertest.Server, *oauthtest.Server) {
	t.Helper()
	oauth := oauthtest.Start(t)
	oauth.Set(func(set *oauthtest.Settings) {
		set.Claims = map[string]any{"sub": "s-1", "preferred_username": "ana", "email": "ana@example.com", "email_verified": true}
	})
	text, err := json.Marshal([]any{oauth.SignIn("oidc", "corp", map[string]any{"name": "Corp"})})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sign-in.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return servertest.Start(t, append(change, func(o *server.Options) { o.SignIn = file })...), oauth
}

// post sends a form as a page of a site would.
func (b *browser) post(t *testing.T, path, site string, form url.Values) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", b.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
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
	return w, string(text)
}

// stay keeps a browser from following redirects.
func (b *browser) stay() *browser {
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

func (b *browser) login() string {
	u, _ := url.Parse(b.s.URL)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "berth_login" {
			return c.Value
		}
	}
	return ""
}

func TestSignInPages(t *testing.T) {
	t.Parallel()
	s, oauth := withCorp(t)
	if status, text := newBrowser(t, s).open(t, "GET", s.URL+"/login", "none", ""); status != 200 || !strings.Contains(text, "no user yet") {
		t.Errorf("without a user: %d %s", status, text)
	}
	s.FirstUser(t)
	b := newBrowser(t, s).stay()
	status, text := b.open(t, "GET", s.URL+"/login?to=/@admin/web/terminal%3Fid=1", "cross-site", "")
	if status != 200 || !strings.Contains(text, "Sign in with Corp") || !strings.Contains(text, `value="/@admin/web/terminal?id=1"`) || strings.Contains(text, "<script") {
		t.Errorf("%d %s", status, text)
	}
	// Wrong passwords, other sites' forms, and where one comes to afterwards.
	form := url.Values{"username": {"admin"}, "password": {"wrong"}, "to": {"/x"}}
	if w, text := b.post(t, "/login", "same-origin", form); w.StatusCode != 401 || !strings.Contains(text, `role="alert"`) || strings.Contains(text, "wrong&#34;") || b.login() != "" {
		t.Errorf("a wrong password: %d %s", w.StatusCode, text)
	}
	form.Set("password", servertest.Password)
	for _, site := range []string{"cross-site", "same-site", "none"} {
		if w, _ := b.post(t, "/login", site, form); w.StatusCode != 403 || b.login() != "" {
			t.Errorf("by a page of %s: %d", site, w.StatusCode)
		}
		if w, _ := b.post(t, "/login/corp", site, form); w.StatusCode != 403 {
			t.Errorf("begun by a page of %s: %d", site, w.StatusCode)
		}
	}
	for to, want := range map[string]string{"/x?y=z": "/x?y=z", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/"} {
		form.Set("to", to)
		w, _ := b.post(t, "/login", "same-origin", form)
		if w.StatusCode != 303 || w.Header.Get("Location") != want || b.login() == "" {
			t.Errorf("%q leads to %q", to, w.Header.Get("Location"))
		}
		for _, c := range w.Cookies() {
			if c.Name == "berth_login" && (!c.HttpOnly || c.SameSite != http.SameSiteLaxMode) {
				t.Errorf("the cookie: %+v", c)
			}
		}
	}
	// Out, and the old login is no more.
	old := b.login()
	if w, _ := b.post(t, "/login/out", "same-origin", nil); w.StatusCode != 303 || b.login() != "" {
		t.Errorf("signing out: %d", w.StatusCode)
	}
	if _, err := s.Client(t, old).Me(t.Context()); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("the old login: %v", err)
	}
	// By the provider, and back.
	corp := newBrowser(t, s)
	var last string
	corp.CheckRedirect = func(r *http.Request, _ []*http.Request) error { last = r.URL.String(); return nil }
	w, text := corp.post(t, "/login/corp", "same-origin", url.Values{"to": {"/healthz?x=1"}})
	if w.StatusCode != 200 || last != s.URL+"/healthz?x=1" {
		t.Fatalf("%d at %s: %s", w.StatusCode, last, text)
	}
	me, err := s.Client(t, corp.login()).Me(t.Context())
	if err != nil || me.Username != "ana" {
		t.Errorf("%+v, %v", me, err)
	}
	if status, text := corp.open(t, "GET", s.URL+"/login", "none", ""); status != 200 || !strings.Contains(text, "You are ana") {
		t.Errorf("signed in: %d %s", status, text)
	}
	// What the provider says against somebody is a page, not a way on.
	oauth.Set(func(set *oauthtest.Settings) { set.Claims["email_verified"] = false })
	again := newBrowser(t, s)
	if w, text := again.post(t, "/login/corp", "same-origin", url.Values{"to": {"/x"}}); w.StatusCode != 403 || !strings.Contains(text, "has not verified") || again.login() != "" {
		t.Errorf("%d %s", w.StatusCode, text)
	}
	oauth.Set(func(set *oauthtest.Settings) { set.Down = true })
	if w, text := again.post(t, "/login/corp", "same-origin", nil); w.StatusCode == 200 || again.login() != "" {
		t.Errorf("away: %d %s", w.StatusCode, text)
	}
	for _, query := range []string{"?state=x&code=y", "?error=<script>alert(1)</script>&state=x", ""} {
		if status, text := again.open(t, "GET", s.URL+"/login/corp/callback"+query, "cross-site", ""); status != 409 || strings.Contains(text, "<script") {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
}

// Mallory's sign-in, finished in somebody else's browser, signs nobody in.
func TestLoginFixation(t *testing.T) {
	t.Parallel()
	s, _ := withCorp(t)
	s.FirstUser(t)
	mallory, victim := newBrowser(t, s), newBrowser(t, s)
	var back string
	mallory.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	mallory.post(t, "/login/corp", "same-origin", url.Values{"to": {"/x"}})
	if status, text := victim.open(t, "GET", back, "cross-site", ""); status != 409 || victim.login() != "" {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := mallory.open(t, "GET", back, "cross-site", ""); status != 409 || mallory.login() != "" {
		t.Error("the state was not used up")
	}
}

// A person lets the command line in: by the page, as themselves.
func TestCommandLineByBrowser(t *testing.T) {
	t.Parallel()
	s, _ := withCorp(t)
	s.FirstUser(t)
	c, verifier := s.Client(t, ""), berth.NewSecret()
	asked, err := c.AskLogin(t.Context(), api.AskLogin{Challenge: berth.Challenge(verifier), Client: "berth on <b>laptop</b>"})
	if err != nil || !strings.HasPrefix(asked.URL, s.URL+"/command-line/") {
		t.Fatalf("%+v, %v", asked, err)
	}
	path := strings.TrimPrefix(asked.URL, s.URL)
	b := newBrowser(t, s).stay()
	r, err := b.Get(asked.URL)
	if err != nil || r.StatusCode != 303 || r.Header.Get("Location") != "/login?to="+url.QueryEscape(path) {
		t.Fatalf("nobody is signed in: %v, %v", r, err)
	}
	b.signIn(t, "admin")
	status, text := b.open(t, "GET", asked.URL, "cross-site", "")
	if status != 200 || !strings.Contains(text, "as admin?") || !strings.Contains(text, "&lt;b&gt;laptop") || shownCode.MatchString(text) {
		t.Fatalf("%d %s", status, text)
	}
	for _, site := range []string{"cross-site", "none"} {
		if w, text := b.post(t, path, site, url.Values{"do": {"allow"}}); w.StatusCode != 403 || shownCode.MatchString(text) {
			t.Errorf("agreed by a page of %s: %d", site, w.StatusCode)
		}
	}
	_, text = b.post(t, path, "same-origin", url.Values{"do": {"allow"}})
	code := shownCode.FindStringSubmatch(text)
	if code == nil {
		t.Fatalf("no code: %s", text)
	}
	if _, err := c.FinishLogin(t.Context(), asked.ID, api.FinishLogin{Verifier: berth.NewSecret(), Code: code[1]}); !errors.Is(err, berth.NotFound) {
		t.Errorf("who only saw the code: %v", err)
	}
	in, err := c.FinishLogin(t.Context(), asked.ID, api.FinishLogin{Verifier: verifier, Code: code[1]})
	if err != nil || in.User.Username != "admin" {
		t.Fatalf("%+v, %v", in, err)
	}
	if _, err := s.Client(t, in.Token).Me(t.Context()); err != nil {
		t.Error(err)
	}
	if w, text := b.post(t, path, "same-origin", url.Values{"do": {"allow"}}); w.StatusCode != 404 || shownCode.MatchString(text) {
		t.Errorf("again: %d", w.StatusCode)
	}
}

// With --disable-password-auth only owners sign in by password.
func TestPasswordsDisabled(t *testing.T) {
	t.Parallel()
	s, _ := withCorp(t, func(o *server.Options) { o.DisablePassword = true })
	admin, _ := s.FirstUser(t) // who signs in by password, too
	made, err := admin.CreateUser(t.Context(), api.CreateUser{Username: "bob", Email: "bob@example.com"})
	if err != nil || made.Password == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	_, err = s.Client(t, "").Login(t.Context(), api.Login{Username: "bob", Password: made.Password})
	if !errors.Is(err, berth.Forbidden) {
		t.Errorf("bob by password: %v", err)
	}
}

// Who was given a password has to change it before anything else, on the page.
func TestForcedChangePage(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	admin, _ := s.FirstUser(t)
	made, err := admin.CreateUser(t.Context(), api.CreateUser{Username: "bob", Email: "bob@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, s).stay()
	w, _ := b.post(t, "/login", "same-origin", url.Values{"username": {"bob"}, "password": {made.Password}, "to": {"/x"}})
	if w.StatusCode != 303 || w.Header.Get("Location") != "/login/change?to=%2Fx" {
		t.Fatalf("%d %s", w.StatusCode, w.Header.Get("Location"))
	}
	if status, text := b.open(t, "GET", s.URL+"/login/change?to=/x", "same-origin", ""); status != 200 || !strings.Contains(text, "Choose a new password") {
		t.Errorf("%d %s", status, text)
	}
	form := url.Values{"current": {made.Password}, "password": {"nine quiet lamps burn"}, "again": {"another"}, "to": {"/x"}}
	if w, text := b.post(t, "/login/change", "same-origin", form); w.StatusCode != 400 || !strings.Contains(text, "two different") {
		t.Errorf("%d %s", w.StatusCode, text)
	}
	form.Set("again", form.Get("password"))
	if w, _ := b.post(t, "/login/change", "cross-site", form); w.StatusCode != 403 {
		t.Errorf("by a page of another site: %d", w.StatusCode)
	}
	if w, text := b.post(t, "/login/change", "same-origin", form); w.StatusCode != 303 || w.Header.Get("Location") != "/x" {
		t.Errorf("%d %s", w.StatusCode, text)
	}
	if _, err := s.Client(t, "").Login(t.Context(), api.Login{Username: "bob", Password: "nine quiet lamps burn"}); err != nil {
		t.Error(err)
	}
}

// Who guesses on the page is recorded like who guesses by the API.
func TestSignInsOnThePageAreRecorded(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.FirstUser(t)
	b := newBrowser(t, s).stay()
	b.post(t, "/login", "same-origin", url.Values{"username": {"admin"}, "password": {"wrong password"}})
	b.post(t, "/login", "same-origin", url.Values{"username": {"admin"}, "password": {servertest.Password}})
	b.post(t, "/login/change", "same-origin", url.Values{"current": {"wrong password"}, "password": {"several words of mine"}, "again": {"several words of mine"}})
	var got []string
	for _, r := range recordedIn(t, s.Store(t))[:3] {
		got = append(got, strings.Join([]string{r.ActorName, r.Action, r.TargetName, r.Result}, " "))
	}
	if want := "admin edit admin invalid, admin login admin ok,  login admin unauthenticated"; strings.Join(got, ", ") != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}
