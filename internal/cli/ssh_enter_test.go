package cli

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// serveStopped gives the fake the workspace web, stopped, with an SSH server in
// it once it was started. Started answers the request to start it, and tells
// whether it is starting then.
func (f *fake) serveStopped(t *testing.T, started func(w http.ResponseWriter) bool) {
	t.Helper()
	f.serveSSH(t)
	b, ended := building("start", "succeeded", "")
	var begun atomic.Bool
	now := func() api.Workspace {
		w := web()
		w.Status, w.Build.Transition, w.Agents = "stopped", "stop", nil
		if begun.Load() {
			w = web()
			w.Status, w.Build = "starting", b
		}
		return w
	}
	f.mux.HandleFunc("GET /api/v1/users/bo/workspaces/web", func(w http.ResponseWriter, _ *http.Request) { respond(w, now()) })
	var looked atomic.Int32
	f.mux.HandleFunc("GET /api/v1/workspaces/{id}", func(w http.ResponseWriter, _ *http.Request) {
		v := now()
		if begun.Load() && looked.Add(1) > 1 {
			v = web()
		}
		respond(w, v)
	})
	f.mux.HandleFunc("POST /api/v1/workspaces/{id}/builds", func(w http.ResponseWriter, _ *http.Request) { begun.Store(started(w)) })
	f.events("GET /builds/"+b.ID+"/events", "log", berth.Log{Seq: 1, Level: "info", Stage: "apply", Text: "docker_container.web: Creating..."}, "build", ended)
}

func TestSSHStarts(t *testing.T) {
	t.Parallel()
	b, _ := building("start", "succeeded", "")
	asked := `POST /workspaces/` + web().ID + `/builds {"transition":"start","reason":"ssh_connection"}`
	for _, c := range []struct {
		name    string
		args    []string
		started func(w http.ResponseWriter) bool
		code    int
		says    []string
		asks    bool
	}{
		{"starts it and shows its log", nil, func(w http.ResponseWriter) bool { respond(w, b); return true },
			0, []string{"bo/web is stopped; starting it", "docker_container.web: Creating..."}, true},
		{"another client was first", nil, func(w http.ResponseWriter) bool { refuse(w, 409, berth.Conflict, "build 4 is running"); return true },
			0, []string{"docker_container.web: Creating..."}, true},
		{"may not", nil, func(w http.ResponseWriter) bool {
			refuse(w, 409, berth.Conflict, "web is stopped: start it with berth start web (its organization says so)")
			return false
		}, 255, []string{"web is stopped: start it with berth start web (its organization says so)"}, true},
		{"a failure of another kind", nil, func(w http.ResponseWriter) bool {
			refuse(w, 403, berth.Forbidden, "you may not start it")
			return false
		},
			255, []string{"you may not start it"}, true},
		{"told not to", []string{"--disable-autostart"}, func(w http.ResponseWriter) bool { return false },
			255, []string{"bo/web is stopped: start it with berth start bo/web"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.serveStopped(t, c.started)
			out, errs, code := f.run(t, append(append([]string{"ssh", "bo/web"}, c.args...), "--", "echo in")...)
			if code != c.code || (code == 0) != (out == "in\n") {
				t.Errorf("exit %d, %q, %q", code, out, errs)
			}
			for _, s := range c.says {
				if !strings.Contains(errs, s) {
					t.Errorf("it does not say %q but %q", s, errs)
				}
			}
			if slices.Contains(f.requests(), asked) != c.asks {
				t.Errorf("asked for %q", f.requests())
			}
		})
	}
}

func TestEndedBy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		transition, status string
		over               bool
		says               string
	}{
		{"stop", "running", false, "web is being stopped by ana (build 4, cli): the connection ended with it; start it with berth start web"},
		{"stop", "succeeded", true, "web was stopped by ana (build 4, cli): the connection ended with it; start it with berth start web"},
		{"delete", "running", false, "web is being deleted by ana (build 4, cli): the connection ended with it"},
		{"start", "running", false, "web is being started anew by ana (build 4, cli): the connection ended with it"},
		{"start", "succeeded", true, ""},
		{"stop", "pending", false, ""},
	} {
		w := web()
		w.Build.Number, w.Build.Transition, w.Build.Status = 4, c.transition, c.status
		w.Build.Reason = "cli"
		if !c.over {
			w.Build.CompletedAt = nil
		}
		if got := endedBy(w, target{owner: "me", name: "web"}); got != c.says {
			t.Errorf("%s %s: %q", c.transition, c.status, got)
		}
	}
}

// Who connects during a restart comes in when it is over, and starts nothing.
func TestSSHWaitsForARestart(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	stop, stopped := building("stop", "succeeded", "")
	start, started := building("start", "succeeded", "")
	stop.Next, start.ID = &api.NextBuild{}, "start"
	now := make(chan api.Workspace, 3)
	for _, w := range []api.Workspace{{Status: "stopping", Build: stop}, {Status: "starting", Build: start}, web()} {
		v := web()
		v.Status, v.Build = w.Status, w.Build
		now <- v
	}
	look := func(w http.ResponseWriter, _ *http.Request) { respond(w, <-now) }
	f.mux.HandleFunc("GET /api/v1/users/bo/workspaces/web", look)
	f.mux.HandleFunc("GET /api/v1/workspaces/{id}", look)
	f.events("GET /builds/"+stop.ID+"/events", "build", stopped)
	f.events("GET /builds/start/events", "build", started)
	if out, errs, code := f.run(t, "ssh", "bo/web", "--", "echo in"); code != 0 || out != "in\n" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	for _, r := range f.requests() {
		if strings.HasPrefix(r, "POST") && strings.HasSuffix(r, "/builds") {
			t.Errorf("it asked for a build: %s", r)
		}
	}
}
