package workspaces_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestAgentTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, token := h.running(h.mel, "box")
		ws, ctx, id := h.workspaces, t.Context(), v.Workspace.ID
		who, err := ws.AgentForLink(ctx, token)
		must(t, err)
		if who.Workspace.ID != id || who.Owner.Username != "mel" || who.Build.Number != 1 || who.Provider.Name != berth.BuiltInProvider || who.Agent.Name != "main" {
			t.Errorf("the agent is %+v", who)
		}
		for _, wrong := range []string{"", token + "x", token[1:], strings.Repeat("x", 1<<20), "x\x00"} {
			_, err := ws.AgentForLink(ctx, wrong)
			want(t, "a wrong token", err, berth.Unauthenticated)
		}
		h.suspend(h.mel, berth.UserSuspended)
		_, err = ws.AgentForLink(ctx, token)
		want(t, "a suspended owner's agent links", err, berth.Forbidden)
		_, err = ws.AgentByToken(ctx, token)
		want(t, "a suspended owner's agent reports", err, berth.Forbidden)
		_, err = ws.ResolveAgent(ctx, h.owner, id, "main")
		want(t, "a session to a suspended owner's agent", err, berth.Forbidden)
		h.suspend(h.mel, berth.UserActive)

		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		_, err = ws.AgentForLink(ctx, token)
		want(t, "a link once a stop is queued", err, berth.Forbidden)
		_, err = ws.ResolveAgent(ctx, h.mel, id, "")
		want(t, "a session once a stop is queued", err, berth.Conflict)
		if _, err = ws.AgentByToken(ctx, token); err != nil {
			t.Errorf("the agent may not report its shutdown: %v", err)
		}
		h.run(stopped(2))
		_, err = ws.AgentByToken(ctx, token)
		want(t, "a stopped workspace's agent", err, berth.Unauthenticated)
	})
}

func TestAnotherTokenIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev"})
		must(t, err)
		j, c := h.take()
		r := started(t, j, 1)
		r.Agents[0].Token = "a-token-that-somebody-chose"
		must(t, h.queue.Finish(t.Context(), c, r))
		got, err := h.workspaces.Get(t.Context(), h.mel, v.Workspace.ID)
		must(t, err)
		if got.Status != berth.StatusFailed || !strings.Contains(got.Reason, "token") || len(got.Agents) != 0 {
			t.Errorf("a chosen token: %s, %s", got.Status, got.Reason)
		}
		if len(got.Workspace.Persistent) == 0 {
			t.Error("what the failed start made is not known as persistent")
		}
	})
}

func TestReportsAndHealth(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, token := h.running(h.mel, "box")
		ws, ctx := h.workspaces, t.Context()
		who, err := ws.AgentForLink(ctx, token)
		must(t, err)
		rung, stop := ws.Watch(v.Workspace.ID)
		defer stop()
		see := func() workspaces.View {
			t.Helper()
			v, err := ws.Get(ctx, h.mel, v.Workspace.ID)
			must(t, err)
			return v
		}
		must(t, ws.AgentHello(ctx, who, "1.0", "/home/mel", 100))
		must(t, ws.Linked(ctx, who.Agent.ID))
		select {
		case <-rung:
		case <-time.After(time.Minute):
			t.Error("a link wakes nobody")
		}
		must(t, ws.Seen(ctx, []berth.AgentID{who.Agent.ID, berth.NewID[berth.Agent]()}))
		must(t, ws.AgentLifecycle(ctx, who, 100, berth.AgentStarting, time.Now()))
		must(t, ws.AgentLifecycle(ctx, who, 100, berth.AgentReady, time.Now().Add(100*365*24*time.Hour)))
		if a := see().Agents[0]; a.Status != berth.AgentConnected || !a.Healthy || a.Blocks || a.Agent.Version != "1.0" || a.Agent.ReadyAt.After(time.Now().Add(time.Minute)) {
			t.Errorf("a ready agent: %+v", a)
		}
		want(t, "an unknown state", ws.AgentLifecycle(ctx, who, 100, "dancing", time.Now()), berth.Invalid)
		want(t, "a leftover's state", ws.AgentLifecycle(ctx, who, 99, berth.AgentOff, time.Now()), berth.Conflict)
		want(t, "a leftover's hello", ws.AgentHello(ctx, who, "0.9", "", 99), berth.Conflict)
		must(t, ws.AgentLifecycle(ctx, who, 100, berth.AgentStartError, time.Now()))
		if v := see(); v.Healthy || v.Health != "main: a start script exited with an error: see berth logs box.main" {
			t.Errorf("a start script failed: %v %q", v.Healthy, v.Health)
		}
		must(t, ws.AgentLifecycle(ctx, who, 100, berth.AgentStartTimeout, time.Now()))
		if v := see(); !v.Healthy {
			t.Errorf("a start script that takes long: %q", v.Health)
		}
		must(t, ws.Unlinked(ctx, who.Agent.ID))
		must(t, ws.Unlinked(ctx, berth.NewID[berth.Agent]()))
		if v := see(); v.Healthy || !strings.HasPrefix(v.Health, "main: the agent has lost its connection, last heard of") {
			t.Errorf("a lost link: %v %q", v.Healthy, v.Health)
		}
		list, _, err := ws.List(ctx, h.mel, "", "", 0)
		must(t, err)
		if len(list) != 1 || list[0].Healthy || list[0].Agents != nil {
			t.Errorf("the list does not know of the health: %+v", list)
		}
	})
}

func TestStartsTakeUntilTheirAgentsAreReady(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, token := h.running(h.mel, "box")
		takes := func() time.Duration {
			t.Helper()
			v, err := h.workspaces.Get(t.Context(), h.mel, v.Workspace.ID)
			must(t, err)
			return v.Workspace.StartTakes
		}
		ready := func(boot int64) time.Duration {
			t.Helper()
			for i, report := range []func(workspaces.AgentIdentity) error{
				func(who workspaces.AgentIdentity) error {
					return h.workspaces.AgentHello(t.Context(), who, "1.0", "/home/mel", boot)
				},
				func(who workspaces.AgentIdentity) error {
					return h.workspaces.AgentLifecycle(t.Context(), who, boot, berth.AgentStarting, time.Now())
				},
				func(who workspaces.AgentIdentity) error {
					return h.workspaces.AgentLifecycle(t.Context(), who, boot, berth.AgentReady, time.Now())
				},
			} {
				who, err := h.workspaces.AgentForLink(t.Context(), token)
				must(t, err)
				if err := report(who); err != nil {
					t.Fatalf("report %d: %v", i, err)
				}
			}
			return takes()
		}
		before := takes()
		after := ready(100)
		if after <= before {
			t.Errorf("starts take %s with their agent, %s without it", after, before)
		}
		if again := ready(101); again != after {
			t.Errorf("an agent that began again made starts take %s instead of %s", again, after)
		}
	})
}

func TestAgentLogs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, token := h.running(h.mel, "box")
		ws, ctx, id := h.workspaces, t.Context(), v.Workspace.ID
		who, err := ws.AgentForLink(ctx, token)
		must(t, err)
		must(t, ws.AgentHello(ctx, who, "1.0", "", 100))
		lines := []berth.Log{{Seq: 1, At: time.Now(), Level: "info", Text: "one"}, {Seq: 2, At: time.Now(), Level: "info", Text: "tw\x00o"}}
		for range 2 { // sent twice, kept once
			_, err = ws.AppendAgentLogs(ctx, who, 100, lines)
			must(t, err)
		}
		got, next, err := ws.AgentLogs(ctx, h.mel, id, "-", "", 1)
		must(t, err)
		if len(got) != 1 || got[0].Text != "one" || next == "" {
			t.Fatalf("first page: %+v, %q", got, next)
		}
		got, next, err = ws.AgentLogs(ctx, h.mel, id, "main", next, 0)
		must(t, err)
		if len(got) != 1 || next == "" {
			t.Fatalf("second page: %+v, %q", got, next)
		}
		if got, next, err = ws.AgentLogs(ctx, h.mel, id, "main", next, 0); err != nil || len(got) != 0 || next != "" {
			t.Errorf("behind the end: %+v, %q, %v", got, next, err)
		}
		_, _, err = ws.AgentLogs(ctx, h.mel, id, "main", "x", 0)
		want(t, "a wrong place", err, berth.Invalid)
		_, _, err = ws.AgentLogs(ctx, h.mel, id, "other", "", 0)
		want(t, "no such agent", err, berth.NotFound)
	})
}

func TestState(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		ws, ctx, id := h.workspaces, t.Context(), v.Workspace.ID
		got, err := ws.State(ctx, h.admin, id)
		must(t, err)
		if string(got) != `{"version":4,"lineage":"L","serial":1}` {
			t.Errorf("state = %s", got)
		}
		pushed := `{"version":4,"lineage":"L","serial":2,"resources":[{"mode":"managed","type":"aws_disk","name":"d","instances":[{}]},
			{"mode":"managed","type":"coder_agent","name":"main","instances":[{}]}]}`
		for name, c := range map[string]struct {
			state string
			code  berth.Code
		}{
			"nonsense":          {"hello", berth.Invalid},
			"another lineage":   {strings.Replace(pushed, `"L"`, `"M"`, 1), berth.Conflict},
			"the same serial":   {strings.Replace(pushed, `"serial":2`, `"serial":1`, 1), berth.Conflict},
			"an earlier serial": {strings.Replace(pushed, `"serial":2`, `"serial":0`, 1), berth.Conflict},
		} {
			_, err := ws.PushState(ctx, h.admin, id, []byte(c.state))
			want(t, name, err, c.code)
		}
		r, err := ws.PushState(ctx, h.admin, id, []byte(pushed))
		must(t, err)
		if r.CreatedBy != "tam" || r.Revision.Serial != 2 {
			t.Errorf("pushed: %+v", r)
		}
		after, err := ws.Get(ctx, h.mel, id)
		must(t, err)
		if p := strings.Join(after.Workspace.Persistent, " "); p != "aws_disk.d docker_volume.home" {
			t.Errorf("persistent after a push: %s", p)
		}
		versions, err := ws.StateVersions(ctx, h.admin, id)
		must(t, err)
		if len(versions) != 2 || !versions[0].Revision.Current || versions[0].CreatedBy != "tam" || versions[1].Build != 1 {
			t.Errorf("versions = %+v", versions)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		_, err = ws.PushState(ctx, h.admin, id, []byte(strings.Replace(pushed, `"serial":2`, `"serial":3`, 1)))
		want(t, "a push during a build", err, berth.Conflict)
		h.run(builds.Report{Error: "no", ErrorCode: "terraform"})
	})
}
