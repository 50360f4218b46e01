package httpapi_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
)

// What an agent reports is shown at once, and written when the server stops:
// the next server on the same database has it.
func TestActivityThroughTheAPI(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		ctx := t.Context()
		c, token := s.FirstUser(t)
		r := s.Runner(t)
		servertest.Push(t, c, "plain")
		ws := servertest.Create(t, c, "plain", "dev")
		if ws.Activity == nil || ws.Activity.Awake || ws.Activity.Newest != nil || ws.Activity.Evidence == nil || ws.Activity.Holds == nil {
			t.Errorf("a new workspace: %+v", ws.Activity)
		}
		agent := s.Client(t, r.AgentToken("admin/dev"))
		if err := agent.AgentActivity(ctx, api.AgentActivity{Seen: []api.Seen{
			{Kind: berth.EvidenceSSH, Detail: "", Began: time.Hour.Milliseconds(), Last: 500},
			{Kind: berth.EvidenceConnection, Detail: "1 open", Last: -1 << 62},
			{Kind: "telepathy", Last: 1},
		}}); err != nil {
			t.Fatal(err)
		}
		w, err := c.Workspace(ctx, ws.ID)
		if err != nil || !w.Activity.Awake || w.Activity.Newest.Kind != berth.EvidenceSSH || len(w.Activity.Evidence) != 2 || time.Since(w.Activity.Newest.Since) < 59*time.Minute {
			t.Errorf("after a report: %+v, %v", w.Activity, err)
		}
		// The agent is not linked, so what it does now is not known.
		a, err := c.Activity(ctx, ws.ID)
		if err != nil || a.Known || a.Newest == nil || a.Newest.Kind != berth.EvidenceSSH {
			t.Errorf("asked: %+v, %v", a, err)
		}
		list, err := c.Workspaces(ctx, client.List{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Activity != nil {
			t.Errorf("in a list: %+v, %v", list, err)
		}

		stop, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(stop); err != nil {
			t.Fatal(err)
		}
		next := servertest.Start(t, func(o *server.Options) { o.Data, o.DatabaseURL = s.Options.Data, s.Options.DatabaseURL })
		w, err = next.Client(t, token).Workspace(ctx, ws.ID)
		if err != nil || w.Activity.Newest == nil || w.Activity.Newest.Kind != berth.EvidenceSSH || w.LastUsedAt == nil || time.Since(*w.LastUsedAt) > time.Minute {
			t.Errorf("after a restart: %+v, last used %v, %v", w.Activity, w.LastUsedAt, err)
		}
	})
}

func TestHoldsThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(o *server.Options) { o.MaxHold = 2 * time.Hour })
	ctx := t.Context()
	c, login := s.FirstUser(t)
	s.Runner(t)
	servertest.Push(t, c, "plain")
	ws := servertest.Create(t, c, "plain", "dev")
	h, err := c.CreateHold(ctx, ws.ID, api.CreateHold{Seconds: 3600, Reason: "training"})
	if err != nil || h.By != "admin" || time.Until(h.Until) < 59*time.Minute {
		t.Fatalf("%+v, %v", h, err)
	}
	if w, err := c.Workspace(ctx, ws.ID); err != nil || !w.Activity.Awake || len(w.Activity.Holds) != 1 || w.Activity.Holds[0].Reason != "training" {
		t.Errorf("%+v, %v", w.Activity, err)
	}
	_, err = c.CreateHold(ctx, ws.ID, api.CreateHold{Seconds: 3 * 3600})
	var e *berth.Error
	if !errors.As(err, &e) || e.Field != "seconds" || !strings.Contains(e.Message, "at most 2 h") {
		t.Errorf("longer than the server allows: %v", err)
	}
	for _, seconds := range []string{"-1", "9223372036854775807"} {
		if w, p := call(t, s, "POST", "/workspaces/"+ws.ID+"/holds", `{"seconds":`+seconds+`}`, "Authorization", "Bearer "+login); w.StatusCode != 400 {
			t.Errorf("%s seconds: %d %+v", seconds, w.StatusCode, p)
		}
	}
	if err := c.ReleaseHold(ctx, ws.ID, h.ID); err != nil {
		t.Error(err)
	}
	if err := c.ReleaseHold(ctx, ws.ID, h.ID); !errors.Is(err, berth.NotFound) {
		t.Errorf("released twice: %v", err)
	}
	if err := c.ReleaseHolds(ctx, ws.ID); err != nil {
		t.Error(err)
	}
	if holds, err := c.Holds(ctx, ws.ID); err != nil || holds.Items == nil || len(holds.Items) != 0 {
		t.Errorf("%+v, %v", holds, err)
	}
}

// What an agent says of a full computer is a warning, bounded to what its
// template watches, and gone with its process.
func TestPressureThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	ctx := t.Context()
	c, _ := s.FirstUser(t)
	r := s.Runner(t)
	r.Spec = func(a *berth.AgentSpec) {
		a.Monitoring = &berth.Monitoring{Memory: &berth.Threshold{Percent: 80}, Volumes: []berth.Threshold{{Path: "/home", Percent: 90}}}
	}
	servertest.Push(t, c, "plain")
	ws := servertest.Create(t, c, "plain", "dev")
	agent := s.Client(t, r.AgentToken("admin/dev"))
	hello := func(boot int64) {
		t.Helper()
		if _, err := agent.AgentHello(ctx, api.AgentHello{Protocol: api.AgentProtocol, Boot: boot}); err != nil {
			t.Fatal(err)
		}
	}
	pressure := func() []berth.Pressure {
		t.Helper()
		w, err := c.Workspace(ctx, ws.ID)
		if err != nil {
			t.Fatal(err)
		}
		return w.Agents[0].Pressure
	}
	hello(1)
	if err := agent.AgentPressure(ctx, api.AgentPressure{Boot: 1, Pressure: []api.Pressed{
		{Path: "/home", Percent: 1000, Limit: 3, Began: 1 << 62}, {Path: "/etc", Percent: 99}, {Percent: 85},
	}}); err != nil {
		t.Fatal(err)
	}
	got := pressure()
	if len(got) != 2 || got[0].Path != "" || got[0].Percent != 85 || got[0].Limit != 80 || got[1].Path != "/home" || got[1].Percent != 100 || got[1].Since.Before(ws.CreatedAt) {
		t.Errorf("%+v", got)
	}
	if err := agent.AgentPressure(ctx, api.AgentPressure{Boot: 0}); !errors.Is(err, berth.Conflict) {
		t.Errorf("of an older process: %v", err)
	}
	hello(2)
	if got := pressure(); len(got) != 0 {
		t.Errorf("after another process greeted: %+v", got)
	}
}
