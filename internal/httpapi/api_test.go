package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
)

// call makes a request that no client of ours would, and gives the answer with
// its problem.
func call(t *testing.T, s *servertest.Server, method, path, body string, header ...string) (*http.Response, api.Problem) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+api.Prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	var p api.Problem
	if w.StatusCode >= 400 {
		if err := json.NewDecoder(w.Body).Decode(&p); err != nil {
			t.Errorf("%s %s: %d without a problem: %v", method, path, w.StatusCode, err)
		}
	}
	return w, p
}

var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// operations are all that the served document describes, with made-up values
// in their paths.
func operations(t *testing.T, s *servertest.Server) (all []struct{ method, path, access string }) {
	t.Helper()
	w, err := http.Get(s.URL + api.Prefix + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	var spec struct {
		Paths map[string]map[string]struct {
			Access string `json:"x-access"`
		}
	}
	if err := json.NewDecoder(w.Body).Decode(&spec); err != nil {
		t.Fatal(err)
	}
	for path, methods := range spec.Paths {
		for method, o := range methods {
			all = append(all, struct{ method, path, access string }{
				strings.ToUpper(method), parameter.ReplaceAllString(path, "00000000-0000-7000-8000-000000000000"), o.Access,
			})
		}
	}
	if len(all) < 50 {
		t.Fatalf("the document describes %d operations", len(all))
	}
	return all
}

// Every operation says who may call it, and refuses everybody else before it
// looks at what they sent.
func TestEveryOperationRefusesStrangers(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, person := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	servertest.Create(t, c, "plain", "dev")
	tokens := map[string]string{"person": person, "agent": r.AgentToken("admin/dev"), "runner": r.Token}

	for _, o := range operations(t, s) {
		strangers := map[string]string{"nobody": "", "nonsense": "berth_nonsense", "an empty token": "Bearer "}
		switch o.access {
		case "public":
			if w, _ := call(t, s, o.method, o.path, ""); w.StatusCode == http.StatusUnauthorized && o.path != "/login" {
				t.Errorf("%s %s is public and answered %d", o.method, o.path, w.StatusCode)
			}
			continue
		case "person", "agent", "runner":
			for kind, token := range tokens {
				if kind != o.access {
					strangers["a token of kind "+kind] = token
				}
			}
		default:
			t.Errorf("%s %s declares access %q", o.method, o.path, o.access)
		}
		for who, token := range strangers {
			w, p := call(t, s, o.method, o.path, "not even JSON", "Authorization", "Bearer "+token)
			if w.StatusCode != http.StatusUnauthorized || p.Code != string(berth.Unauthenticated) {
				t.Errorf("%s %s for %s: %d %+v", o.method, o.path, who, w.StatusCode, p)
			}
		}
		if w, p := call(t, s, o.method, o.path, "{}", "Cookie", "berth_login="+person, "Sec-Fetch-Site", "cross-site"); w.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s for a page of another site: %d %+v", o.method, o.path, w.StatusCode, p)
		}
	}
}

func TestFirstUser(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		c, _ := s.FirstUser(t)
		me, err := c.Me(t.Context())
		if err != nil || me.Username != "admin" || fmt.Sprint(me.Roles) != "[owner]" {
			t.Errorf("me: %+v, %v", me, err)
		}
		_, err = s.Client(t, "").CreateFirstUser(t.Context(), api.FirstUser{Username: "second", Email: "s@example.com", Password: servertest.Password})
		if !errors.Is(err, berth.Conflict) {
			t.Errorf("a second first user: %v", err)
		}
		if v, err := c.Version(t.Context()); err != nil || v.SetupRequired {
			t.Errorf("version: %+v, %v", v, err)
		}
	})
}

func TestFirstUserNamesWrongFields(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	for field, in := range map[string]api.FirstUser{
		"username": {Username: "-", Email: "a@example.com", Password: servertest.Password},
		"email":    {Username: "a", Email: "nonsense", Password: servertest.Password},
		"password": {Username: "a", Email: "a@example.com", Password: "short"},
	} {
		_, err := s.Client(t, "").CreateFirstUser(t.Context(), in)
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// The answer to a wrong password does not tell whether the user exists, and
// trying for long ends.
func TestWrongPasswords(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.FirstUser(t)
	_, known := call(t, s, "POST", "/login", `{"username":"admin","password":"wrong password"}`)
	_, unknown := call(t, s, "POST", "/login", `{"username":"nobody","password":"wrong password"}`)
	known.RequestID, unknown.RequestID = "", ""
	if known != unknown || known.Code != string(berth.Unauthenticated) {
		t.Errorf("known user: %+v, unknown user: %+v", known, unknown)
	}
	for n := range 30 {
		w, p := call(t, s, "POST", "/login", `{"username":"admin","password":"wrong password"}`)
		if w.StatusCode == http.StatusTooManyRequests && p.Code == string(berth.Limit) {
			return
		}
		if n == 29 {
			t.Errorf("30 wrong passwords and no limit: %+v", p)
		}
	}
}

func TestLoginCookie(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	s.FirstUser(t)
	w, _ := call(t, s, "POST", "/login", `{"username":"admin","password":"`+servertest.Password+`","cookie":true}`)
	cookies := w.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "berth_login" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" {
		t.Fatalf("cookies %v", w.Header["Set-Cookie"])
	}
	cookie := "berth_login=" + cookies[0].Value
	if w, _ := call(t, s, "GET", "/users/me", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); w.StatusCode != 200 {
		t.Errorf("in a page of ours: %d", w.StatusCode)
	}
	if w, _ := call(t, s, "GET", "/users/me", "", "Cookie", cookie, "Origin", s.URL); w.StatusCode != 200 {
		t.Errorf("with our origin: %d", w.StatusCode)
	}
	if w, _ := call(t, s, "GET", "/users/me", "", "Cookie", cookie); w.StatusCode != 401 {
		t.Errorf("with no word of the browser: %d", w.StatusCode)
	}
	w, _ = call(t, s, "POST", "/logout", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	if gone := w.Cookies(); w.StatusCode != 204 || len(gone) != 1 || gone[0].Value != "" {
		t.Errorf("logout: %d %v", w.StatusCode, gone)
	}
	if w, _ := call(t, s, "GET", "/users/me", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); w.StatusCode != 401 {
		t.Errorf("after the logout: %d", w.StatusCode)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, login := s.FirstUser(t)
	made, err := c.CreateToken(t.Context(), api.CreateToken{Name: "ci", Lifetime: 3600})
	if err != nil {
		t.Fatal(err)
	}
	if me, err := s.Client(t, made.Secret).Me(t.Context()); err != nil || me.Username != "admin" {
		t.Errorf("with the new token: %+v, %v", me, err)
	}
	tokens, err := c.Tokens(t.Context(), "")
	if text, _ := json.Marshal(tokens); err != nil || len(tokens.Items) != 2 || strings.Contains(string(text), made.Secret) || strings.Contains(string(text), login) {
		t.Errorf("list: %s, %v", text, err)
	}
	for _, lifetime := range []string{"-1", "9223372036854775807"} {
		if w, p := call(t, s, "POST", "/tokens", `{"name":"x","lifetime_seconds":`+lifetime+`}`, "Authorization", "Bearer "+login); w.StatusCode != 400 {
			t.Errorf("lifetime %s: %d %+v", lifetime, w.StatusCode, p)
		}
	}
	if err := c.RemoveToken(t.Context(), "", "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client(t, made.Secret).Me(t.Context()); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("with the removed token: %v", err)
	}
	if err := c.RemoveToken(t.Context(), "", "ci"); !errors.Is(err, berth.NotFound) {
		t.Errorf("removed twice: %v", err)
	}
}
