package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		setup func(*fake)
		args  string
		code  int
		says  string
	}{
		{"unknown flag", nil, "list --nonsense", 2, "--nonsense"},
		{"unknown command", nil, "creat web", 2, "did you mean create?"},
		{"unknown command below", nil, "templates pusch", 2, "did you mean push?"},
		{"too few", nil, "show", 2, "berth show WORKSPACE"},
		{"too many", nil, "show a b", 2, `"b" is too much`},
		{"not a workspace", nil, "show a/b/c", 2, "OWNER/WORKSPACE"},
		{"an agent where none is meant", nil, "stop web.main", 2, "give web"},
		{"bad name", nil, "create my_web -t docker", 2, "single hyphens"},
		{"long name", nil, "create " + strings.Repeat("a", 33) + " -t docker", 2, "at most 32"},
		{"no template", nil, "create web", 2, "-t TEMPLATE"},
		{"delete unasked", func(f *fake) { f.answer("GET /users/me/workspaces/web", web()) }, "delete web", 2, "-y"},
		{"not found", nil, "show web", 4, "there is no workspace web"},
		{"somebody else's", nil, "show bo/web", 4, "there is no workspace bo/web"},
		{"not signed in any more", func(f *fake) { f.fail("GET /users/me", 401, berth.Unauthenticated, "the token is not valid any more") }, "whoami", 3, "berth login"},
		{"forbidden", func(f *fake) { f.fail("GET /tokens", 403, berth.Forbidden, "you may not") }, "tokens list", 7, "you may not"},
		{"conflict", func(f *fake) {
			f.answer("GET /users/me/workspaces/web", web())
			f.fail("POST /workspaces/{id}/builds", 409, berth.Conflict, "build 3 is still running")
		}, "start web", 5, "build 3 is still running"},
		{"failed", func(f *fake) { f.serveWeb("start", "failed", "Error: bad\n  on main.tf line 30") }, "start web", 6, "main.tf line 30"},
		{"canceled", func(f *fake) { f.serveWeb("start", "canceled", "") }, "start web", 6, "was canceled"},
		{"internal", func(f *fake) { f.fail("GET /users/me", 500, berth.Internal, "an internal error occurred") }, "whoami", 1, "internal"},
		{"hanging parameter", nil, "create web -t docker --parameter cpus", 2, "name=value"},
		{"prompt without a terminal", func(f *fake) { f.answer("GET /users/me/workspaces/web", web()) }, "start web --always-prompt", 2, "--parameter"},
		{"ssh to nowhere", nil, "ssh web -- true", 255, "there is no workspace web"},
		{"several agents", func(f *fake) {
			w := web()
			w.Agents = append(w.Agents, api.Agent{Name: "gpu"})
			f.answer("GET /users/me/workspaces/web", w)
		}, "ping web", 2, "web.main or web.gpu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			if c.setup != nil {
				c.setup(f)
			}
			out, errs, code := f.run(t, strings.Fields(c.args)...)
			if code != c.code || !strings.Contains(errs, c.says) || out != "" {
				t.Errorf("exit %d, want %d; %q %q", code, c.code, out, errs)
			}
		})
	}
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.Close()
	if _, errs, code := f.run(t, "list"); code != 8 || !strings.Contains(errs, "cannot reach "+f.URL) || !strings.Contains(errs, "is the server running?") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if out, errs, code := f.run(t, "version"); code != 0 || !strings.HasPrefix(out, "berth ") || errs == "" {
		t.Errorf("version: exit %d: %q %q", code, out, errs)
	}
}

// JSON is the wire's own, and a list is a list though it is empty.
func TestJSON(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.answer("GET /workspaces", api.Page[api.Workspace]{})
	f.answer("GET /users/me/workspaces/web", web())
	if out, _, code := f.run(t, "list", "--json"); code != 0 || out != "[]\n" {
		t.Errorf("exit %d: %q", code, out)
	}
	out, _, code := f.run(t, "show", "web", "--json")
	if code != 0 || !strings.Contains(out, `"status": "running"`) || !strings.Contains(out, `"health`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if asked := f.requests()[0]; asked != "GET /workspaces?limit=500&q=owner%3Ame" {
		t.Error(asked)
	}
}

// A person who stops waiting is told that the build goes on, and how to go on.
func TestInterruptedWait(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b, _ := building("start", "running", "")
	f.answer("GET /users/me/workspaces/web", web())
	f.answer("POST /workspaces/"+web().ID+"/builds", b)
	ctx, cancel := context.WithCancel(t.Context())
	f.mux.HandleFunc("GET /api/v1/builds/{id}/events", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, ": watching\n\n")
		http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	var out, errs bytes.Buffer
	code := Main(ctx, []string{"--config-dir", f.dir, "start", "web"}, strings.NewReader(""), &out, &errs)
	for _, says := range []string{"goes on", "berth logs web --build 4 -f", "berth cancel web"} {
		if !strings.Contains(errs.String(), says) {
			t.Errorf("it does not say %q: %s", says, errs.String())
		}
	}
	if code != 130 {
		t.Errorf("exit %d", code)
	}
}

// A restart is one request, and two builds are waited for.
func TestRestartIsOneRequest(t *testing.T) {
	t.Parallel()
	again := func(problem, dropped string) *fake {
		f := newFake(t)
		status := map[bool]string{true: "succeeded", false: "failed"}[problem == ""]
		stop, stopped := building("stop", status, problem)
		start, running := building("start", "succeeded", "")
		stop.WorkspaceID, stopped.WorkspaceID = web().ID, web().ID
		stop.Next, stopped.Next = &api.NextBuild{}, &api.NextBuild{Dropped: dropped}
		start.ID, running.ID, running.Number = "start", "start", stop.Number+1
		f.answer("GET /users/me/workspaces/web", web())
		f.answer("POST /workspaces/"+web().ID+"/builds", stop)
		f.events("GET /builds/"+stop.ID+"/events", "build", stopped)
		f.answer("GET /builds/"+stop.ID, stopped)
		f.answer(fmt.Sprintf("GET /workspaces/%s/builds/%d", web().ID, stop.Number+1), start)
		f.events("GET /builds/start/events", "build", running)
		return f
	}
	f := again("", "")
	out, errs, code := f.run(t, "restart", "web", "--allow-destroy", "a.b", "--parameter", "cpus=8", "-y")
	if code != 0 || !strings.HasPrefix(out, "web is running (") || strings.Contains(out, "stopped") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	var posts []string
	for _, r := range f.requests() {
		if strings.HasPrefix(r, "POST") {
			posts = append(posts, r[strings.Index(r, "{"):])
		}
	}
	want := `{"transition":"restart","parameters":{"cpus":"8"},"allow_destroy":["a.b"],"reason":"cli"}`
	if strings.Join(posts, "\n") != want {
		t.Errorf("builds:\n%s", strings.Join(posts, "\n"))
	}
	f = again("no", "")
	if _, errs, code := f.run(t, "restart", "web"); code != 6 || !strings.Contains(errs, "was not started again") {
		t.Errorf("a stop that failed: exit %d: %s", code, errs)
	}
	f = again("", "ana canceled it")
	if out, errs, code := f.run(t, "restart", "web"); code != 5 || out != "" || !strings.Contains(errs, "web is stopped, but it was not started again: ana canceled it") {
		t.Errorf("a start that was dropped: exit %d: %s%s", code, out, errs)
	}
	f = again("", "")
	if out, _, code := f.run(t, "restart", "web", "--no-wait"); code != 0 || !strings.Contains(out, "is queued, and its start behind it") {
		t.Errorf("without waiting: exit %d: %s", code, out)
	}
}

func TestUpdateOfWhatIsUpToDate(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveWeb("start", "succeeded", "")
	if out, _, code := f.run(t, "update", "web"); code != 0 || out != "web is up to date\n" || len(f.requests()) != 1 {
		t.Errorf("exit %d: %s %v", code, out, f.requests())
	}
}

func TestExtraCommands(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	extra := &cobra.Command{Use: "server", RunE: func(*cobra.Command, []string) error { return berth.Errorf(berth.Unavailable, "no") }}
	if code := Main(t.Context(), []string{"server"}, nil, io.Discard, &errs, extra); code != 8 || errs.String() != "error: no\n" {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.answer("GET /workspaces", api.Page[api.Workspace]{Items: []api.Workspace{web()}})
	f.answer("GET /templates", api.Page[api.Template]{Items: []api.Template{{Name: "docker", Description: "a container"}}})
	for args, want := range map[string]string{"ssh ": "web\trunning, docker", "create x -t ": "docker\ta container", "templates init ": "process\t", "ssh --wait ": "auto"} {
		out, _, code := f.run(t, append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d\n%s", args, code, out)
		}
	}
	f.Close()
	began := time.Now()
	if out, _, _ := f.run(t, "__complete", "ssh", ""); strings.Contains(out, "web") || time.Since(began) > patience+time.Second {
		t.Errorf("with the server away, after %v: %s", time.Since(began), out)
	}
}
