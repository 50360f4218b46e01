package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
)

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
