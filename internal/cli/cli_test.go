package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fake is a server that answers what a test wants and notes what it was asked.
type fake struct {
	*httptest.Server
	mux *http.ServeMux
	dir string // configuration of the command line, signed in

	mu    sync.Mutex
	asked []string // METHOD path body
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{mux: http.NewServeMux(), dir: t.TempDir()}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		f.mu.Lock()
		f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), api.Prefix)+" "+body.String()))
		f.mu.Unlock()
		if _, pattern := f.mux.Handler(r); pattern == "" {
			refuse(w, 404, berth.NotFound, "there is no such thing")
			return
		}
		f.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	f.signIn(t, "berth_secret")
	return f
}

func (f *fake) signIn(t *testing.T, token string) {
	t.Helper()
	b, _ := json.Marshal(login{URL: f.URL, Token: token})
	if err := os.WriteFile(filepath.Join(f.dir, "login.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// answer gives v, as JSON, to "METHOD /path".
func (f *fake) answer(route string, v any) {
	method, path, _ := strings.Cut(route, " ")
	f.mux.HandleFunc(method+" "+api.Prefix+path, func(w http.ResponseWriter, _ *http.Request) { respond(w, v) })
}

func respond(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (f *fake) fail(route string, status int, code berth.Code, says string) {
	method, path, _ := strings.Cut(route, " ")
	f.mux.HandleFunc(method+" "+api.Prefix+path, func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, says) })
}

func refuse(w http.ResponseWriter, status int, code berth.Code, says string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(api.Problem{Status: status, Code: string(code), Detail: says})
}

// events answers with server-sent events and ends.
func (f *fake) events(route string, pairs ...any) {
	method, path, _ := strings.Cut(route, " ")
	f.mux.HandleFunc(method+" "+api.Prefix+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < len(pairs); i += 2 {
			b, _ := json.Marshal(pairs[i+1])
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", pairs[i], b)
		}
	})
}

// run runs the command line against the fake.
func (f *fake) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return f.runWith(t, "", args...)
}

func (f *fake) runWith(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), append([]string{"--config-dir", f.dir}, args...), strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), code
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), `make generate` rewrites it:\n%s", file, diff)
	}
}

func ptr[T any](v T) *T { return &v }

// long ago enough that "ago" says the same all day.
var longAgo = time.Now().Add(-3*24*time.Hour - time.Hour)

// web is a running workspace.
func web() api.Workspace {
	return api.Workspace{
		ID: "01980000-0000-7000-8000-000000000001", Name: "web", Owner: "ana", Organization: "default", Provider: "built-in",
		Template: "docker", TemplateID: "01980000-0000-7000-8000-0000000000aa", Status: "running", Healthy: true, ConnectStarts: true,
		CreatedAt: longAgo, LastUsedAt: ptr(longAgo),
		Build: api.Build{
			ID: "01980000-0000-7000-8000-000000000010", Number: 3, Transition: "start", Status: "succeeded", Workspace: "ana/web",
			Template: "docker", Version: "calm-otter", VersionID: "01980000-0000-7000-8000-0000000000bb", Initiator: "ana", Reason: "cli",
			CreatedAt: longAgo, StartedAt: ptr(longAgo), CompletedAt: ptr(longAgo.Add(1230 * time.Millisecond)),
			Parameters: map[string]string{"cpus": "4", "tools": `["git"]`},
			Resources:  []berth.Resource{{Address: "docker_container.web[0]", Type: "docker_container"}, {Address: "docker_volume.home", Type: "docker_volume"}},
		},
		Agents: []api.Agent{{Name: "main", OS: "linux", Arch: "amd64", Status: "connected", Lifecycle: "ready", Healthy: true, Version: "v1"}},
	}
}

// building is the build of web that is under way, and ended how it ends.
func building(transition, status, problem string) (b, ended api.Build) {
	b = api.Build{ID: "01980000-0000-7000-8000-000000000011", Number: 4, Transition: transition, Status: "pending", Workspace: "ana/web", Template: "docker", Version: "calm-otter"}
	ended = b
	ended.Status, ended.Error, ended.CompletedAt = status, problem, ptr(longAgo)
	return b, ended
}

// serveWeb makes the fake have the workspace web, whose next build of a
// transition ends as said.
func (f *fake) serveWeb(transition, status, problem string) {
	b, ended := building(transition, status, problem)
	running := b
	running.Status = "running"
	f.answer("GET /users/me/workspaces/web", web())
	f.answer("POST /workspaces/"+web().ID+"/builds", b)
	f.events("GET /builds/"+b.ID+"/events", "build", running,
		"log", berth.Log{Seq: 1, Level: "info", Stage: "plan", Text: "docker_volume.home: Refreshing state..."},
		"log", berth.Log{Seq: 2, Level: "debug", Stage: "plan", Text: "not shown"},
		"log", berth.Log{Seq: 3, Level: "error", Stage: "apply", Text: "a \x1b[31mred\x1b[0m line"},
		"build", ended)
}
