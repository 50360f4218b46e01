package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
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
	tokens, err := c.Tokens(t.Context())
	if text, _ := json.Marshal(tokens); err != nil || len(tokens.Items) != 2 || strings.Contains(string(text), made.Secret) || strings.Contains(string(text), login) {
		t.Errorf("list: %s, %v", text, err)
	}
	for _, lifetime := range []string{"-1", "9223372036854775807"} {
		if w, p := call(t, s, "POST", "/tokens", `{"name":"x","lifetime_seconds":`+lifetime+`}`, "Authorization", "Bearer "+login); w.StatusCode != 400 {
			t.Errorf("lifetime %s: %d %+v", lifetime, w.StatusCode, p)
		}
	}
	if err := c.RemoveToken(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client(t, made.Secret).Me(t.Context()); !errors.Is(err, berth.Unauthenticated) {
		t.Errorf("with the removed token: %v", err)
	}
	if err := c.RemoveToken(t.Context(), "ci"); !errors.Is(err, berth.NotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, token := s.FirstUser(t)
	archive, err := c.UploadArchive(t.Context(), servertest.Archive(t, map[string]string{"main.tf": "# hello"}))
	if err != nil || len(archive.Hash) != 64 || archive.Files != 1 {
		t.Errorf("%+v, %v", archive, err)
	}
	_, err = c.UploadArchive(t.Context(), servertest.Archive(t, map[string]string{"../main.tf": "x"}))
	if !errors.Is(err, berth.Invalid) {
		t.Errorf("a path that leads out: %v", err)
	}
	// Nothing of an endless body is kept, and reading it ends.
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+api.Prefix+"/archives", io.LimitReader(zeros{}, 200<<20))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	w, err := http.DefaultClient.Do(r)
	if err == nil {
		if w.StatusCode < 400 || w.StatusCode >= 500 {
			t.Errorf("200 MB of zeros: %d", w.StatusCode)
		}
		w.Body.Close()
	}
	if w, p := call(t, s, "POST", "/tokens", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`, "Authorization", "Bearer "+token); w.StatusCode != 413 || p.Code != "limit" {
		t.Errorf("2 MB of a name: %d %+v", w.StatusCode, p)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The life of a workspace through the API, on both engines.
func TestLife(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		ctx := t.Context()
		c, _ := s.FirstUser(t)
		r := s.Runner(t)
		v := servertest.Push(t, c, "plain")
		if got, err := c.TemplateVersion(ctx, "default", "plain", "active"); err != nil || got.ID != v.ID || got.Status != "succeeded" || got.Readme == "" {
			t.Errorf("the active version: %+v, %v", got, err)
		}
		w := servertest.Create(t, c, "plain", "dev")
		if w.Status != "running" || len(w.Agents) != 1 || w.Agents[0].Name != "main" || w.Agents[0].Status != "connecting" {
			t.Errorf("after create: %+v", w)
		}
		if same, err := c.FindWorkspace(ctx, "me", "DEV"); err != nil || same.ID != w.ID {
			t.Errorf("by name: %+v, %v", same, err)
		}

		a := s.Client(t, r.AgentToken("admin/dev"))
		m, err := a.AgentHello(ctx, api.AgentHello{Protocol: api.AgentProtocol, Version: "test", Boot: 1})
		if err != nil || m.WorkspaceName != "dev" || m.OwnerName != "admin" || m.RelayURL != s.URL || m.Agent.Name != "main" || len(m.Hooks) == 0 {
			t.Errorf("manifest: %+v, %v", m, err)
		}
		if err := a.AgentLifecycle(ctx, api.AgentState{Boot: 1, Lifecycle: "ready", At: time.Now()}); err != nil {
			t.Error(err)
		}
		if err := a.AgentLogs(ctx, api.AgentLogs{Boot: 1, Lines: []berth.Log{{Seq: 1, At: time.Now(), Level: "info", Text: "started"}}}); err != nil {
			t.Error(err)
		}
		if logs, err := c.WorkspaceAgentLogs(ctx, w.ID, "-", ""); err != nil || len(logs.Lines) != 1 || logs.Lines[0].Text != "started" {
			t.Errorf("the agent's log: %+v, %v", logs, err)
		}
		if _, err := a.AgentHello(ctx, api.AgentHello{Protocol: 0}); !errors.Is(err, berth.Invalid) {
			t.Errorf("an agent of long ago: %v", err)
		}
		if _, err := c.Ping(ctx, w.ID, "main"); err == nil {
			t.Error("an agent without a link answers a ping")
		}

		if state, err := c.State(ctx, w.ID); err != nil || !json.Valid(state) {
			t.Errorf("state: %q, %v", state, err)
		}
		for _, transition := range []string{"stop", "start", "delete"} {
			b, err := c.CreateBuild(ctx, w.ID, api.CreateBuild{Transition: transition})
			if err != nil {
				t.Fatal(err)
			}
			if done := servertest.Finished(t, c, b.ID); done.Transition != transition || len(done.Timings) != 0 {
				t.Errorf("%s: %+v", transition, done)
			}
			if transition == "stop" {
				if _, err := a.AgentHello(ctx, api.AgentHello{Protocol: api.AgentProtocol}); err == nil {
					t.Error("the agent of a stopped workspace gets its manifest")
				}
			}
		}
		if _, err := c.Workspace(ctx, w.ID); !errors.Is(err, berth.NotFound) {
			t.Errorf("after delete: %v", err)
		}
	})
}

func TestPaging(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, _ := s.FirstUser(t)
	s.Runner(t)
	servertest.Push(t, c, "plain")
	for n := range 5 {
		servertest.Create(t, c, "plain", fmt.Sprintf("w%d", n))
	}
	var names []string
	for w, err := range client.All(client.List{Limit: 2}, func(l client.List) (api.Page[api.Workspace], error) { return c.Workspaces(t.Context(), l) }) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, w.Name)
	}
	if got := strings.Join(names, " "); got != "w4 w3 w2 w1 w0" {
		t.Errorf("pages of two: %s", got)
	}
	if _, err := c.Workspaces(t.Context(), client.List{After: "nonsense"}); !errors.Is(err, berth.Invalid) {
		t.Errorf("a place that nobody gave: %v", err)
	}
	for _, limit := range []int{-1, 501} {
		w, p := call(t, s, "GET", fmt.Sprintf("/workspaces?limit=%d", limit), "")
		if w.StatusCode != 401 && p.Field != "limit" {
			t.Errorf("limit %d: %d %+v", limit, w.StatusCode, p)
		}
	}
	page, err := c.Workspaces(t.Context(), client.List{Query: "owner:nobody"})
	if err != nil || page.Items == nil || len(page.Items) != 0 {
		t.Errorf("an empty list: %+v, %v", page, err)
	}
}

// A watcher gets every line once, comes back where it was, and is let go at
// the end.
func TestWatchingABuild(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, token := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	goOn := make(chan struct{})
	r.Hold = func(ctx context.Context, job api.Job) string {
		lines := make([]berth.Log, 1500)
		for n := range lines {
			lines[n] = berth.Log{Seq: int64(n + 2), At: time.Now(), Level: "info", Text: fmt.Sprintf("line %d", n+2)}
		}
		if err := r.Client.RunnerLogs(ctx, job.BuildID, api.RunnerLogs{RunnerID: servertest.RunnerID, Attempt: job.Attempt, Lines: lines}); err != nil {
			return err.Error()
		}
		<-goOn
		return "it was not to be"
	}
	w, err := c.CreateWorkspace(t.Context(), api.CreateWorkspace{Name: "dev", Template: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	first := watch(t, s, token, w.Build.ID, "")
	seen := first(func(event, id, data string) bool { return id == "700" })
	if len(seen.ids) != 700 {
		t.Fatalf("the first watcher got %d lines", len(seen.ids))
	}
	second := watch(t, s, token, w.Build.ID, "700")
	close(goOn)
	rest := second(func(string, string, string) bool { return false })
	if len(rest.ids) != 801 || rest.ids[0] != "701" || rest.ids[800] != "1501" {
		t.Errorf("the second watcher got %d lines, the first %v", len(rest.ids), rest.ids[:min(3, len(rest.ids))])
	}
	if len(rest.builds) == 0 {
		t.Fatal("no build")
	}
	last := rest.builds[len(rest.builds)-1]
	if last.Status != "failed" || last.Error != "it was not to be" || !rest.buildLast {
		t.Errorf("the last event: %+v", last)
	}
	for _, b := range rest.builds[:len(rest.builds)-1] {
		if b.CompletedAt != nil {
			t.Error("the build ended before the last event")
		}
	}
}

type watched struct {
	ids       []string
	builds    []api.Build
	buildLast bool
}

// watch opens a stream of events; what it gives reads until enough says so or
// the server ends it.
func watch(t *testing.T, s *servertest.Server, token, build, last string) func(enough func(event, id, data string) bool) watched {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+api.Prefix+"/builds/"+build+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Last-Event-ID", last)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Header.Get("Content-Type"); w.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("%d, Content-Type %q", w.StatusCode, got)
	}
	return func(enough func(event, id, data string) bool) (got watched) {
		defer w.Body.Close()
		lines := bufio.NewScanner(w.Body)
		lines.Buffer(nil, 1<<20)
		var event, id, data string
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "event":
				event = value
			case "id":
				id = value
			case "data":
				data = value
			case "":
				if event == "" {
					continue // a comment
				}
				got.buildLast = event == "build"
				if event == "log" {
					got.ids = append(got.ids, id)
				} else {
					var b api.Build
					if err := json.Unmarshal([]byte(data), &b); err != nil {
						t.Error(err)
					}
					got.builds = append(got.builds, b)
				}
				if enough(event, id, data) {
					return got
				}
				event, id, data = "", "", ""
			}
		}
		return got
	}
}

func TestWatchingAWorkspace(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, _ := s.FirstUser(t)
	s.Runner(t)
	servertest.Push(t, c, "plain")
	w := servertest.Create(t, c, "plain", "dev")
	var states []string
	for now, err := range c.WatchWorkspace(t.Context(), w.ID) {
		if err != nil {
			t.Fatal(err)
		}
		if len(states) == 0 {
			if _, err := c.CreateBuild(t.Context(), w.ID, api.CreateBuild{Transition: "stop"}); err != nil {
				t.Fatal(err)
			}
		}
		states = append(states, now.Status)
		if now.Status == "stopped" {
			break
		}
	}
	if states[0] != "running" {
		t.Errorf("states %v", states)
	}
}

// A server that stops lets its watchers and waiting runners go at once.
func TestStoppingEndsLongAnswers(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	c, token := s.FirstUser(t)
	r := s.Runner(t)
	servertest.Push(t, c, "plain")
	hold := make(chan struct{})
	defer close(hold)
	r.Hold = func(ctx context.Context, _ api.Job) string {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return ""
	}
	w, err := c.CreateWorkspace(t.Context(), api.CreateWorkspace{Name: "dev", Template: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	read := watch(t, s, token, w.Build.ID, "")
	began := time.Now()
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("stopping took %v", took)
	}
	read(func(string, string, string) bool { return false })
}
