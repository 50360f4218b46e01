package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server/servertest"
)

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

// The bytes of a pushed state are kept as they came.
func TestPushState(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		ctx := t.Context()
		c, token := s.FirstUser(t)
		s.Runner(t)
		servertest.Push(t, c, "plain")
		w := servertest.Create(t, c, "plain", "dev")
		var now struct {
			Lineage string
			Serial  int64
		}
		if state, err := c.State(ctx, w.ID); err != nil || json.Unmarshal(state, &now) != nil {
			t.Fatalf("%q, %v", state, err)
		}
		state := func(lineage string, serial int64) []byte {
			return fmt.Appendf(nil, "{\n  \"version\": 4,\n  \"serial\": %d, \"lineage\": %q,\n  \"resources\": [], \"padding\": %q\n}\n",
				serial, lineage, strings.Repeat("é<", 1<<20))
		}
		next := state(now.Lineage, now.Serial+1)
		for name, refused := range map[string]struct {
			state []byte
			code  berth.Code
		}{
			"junk":         {[]byte("\x00junk"), berth.Invalid},
			"a string":     {[]byte(`"x"`), berth.Invalid},
			"nothing":      {nil, berth.Invalid},
			"another file": {[]byte(`{"version":3}`), berth.Invalid},
			"same serial":  {state(now.Lineage, now.Serial), berth.Conflict},
			"foreign":      {state("other", now.Serial+1), berth.Conflict},
		} {
			if _, err := c.PushState(ctx, w.ID, refused.state); !errors.Is(err, refused.code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r, err := c.PushState(ctx, w.ID, next)
		if err != nil || r.Serial != now.Serial+1 || r.Lineage != now.Lineage || !r.Current || r.CreatedBy != "admin" {
			t.Errorf("%+v, %v", r, err)
		}
		if got, err := c.State(ctx, w.ID); err != nil || string(got) != string(next) {
			t.Errorf("%d bytes came back of %d: %v", len(got), len(next), err)
		}
		// Whoever calls by hand may name any type.
		by := state(now.Lineage, now.Serial+2)
		if w, p := call(t, s, "PUT", "/workspaces/"+w.ID+"/state", string(by), "Authorization", "Bearer "+token); w.StatusCode != 200 {
			t.Errorf("as JSON: %d %+v", w.StatusCode, p)
		}
	})
}
