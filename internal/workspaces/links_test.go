package workspaces_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// audits counts the rows of an action about a workspace.
func (h *house) audits(id berth.WorkspaceID, action string) (n int) {
	h.t.Helper()
	must(h.t, h.db.Read(h.t.Context(), func(q *store.Query) error {
		page, err := store.NewPage("", 100)
		if err != nil {
			return err
		}
		rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, page)
		for _, r := range rows {
			if r.TargetID == string(id) && r.Action == action {
				n++
			}
		}
		return err
	}))
	return n
}

func TestRotatedKeyCountsFromTheNextStart(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		ws, ctx := h.workspaces, t.Context()
		v, old := h.running(h.mel, "box")
		id := v.Workspace.ID
		_, err := ws.RotateAgentKey(ctx, h.eve, id)
		want(t, "a stranger's rotation", err, berth.NotFound)
		_, err = ws.RotateAgentKey(ctx, h.admin, id)
		want(t, "the template admin's rotation", err, berth.Forbidden)
		waits, err := ws.RotateAgentKey(ctx, h.mel, id)
		must(t, err)
		if !waits || h.audits(id, "rotate-key") != 1 {
			t.Errorf("waits %v, %d audits", waits, h.audits(id, "rotate-key"))
		}
		_, err = ws.RotateAgentKey(ctx, h.mel, id)
		want(t, "a second rotation before the start", err, berth.Conflict)
		if _, err := ws.AgentForLink(ctx, old); err != nil {
			t.Errorf("the running agent's token before the start: %v", err)
		}

		// A start that fails before anything changed leaves the old agent running.
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		h.run(builds.Report{Error: "no room"})
		if _, err := ws.AgentForLink(ctx, old); err != nil {
			t.Errorf("the running agent's token after a failed start: %v", err)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		fresh := h.finishStart(3)
		_, err = ws.AgentForLink(ctx, old)
		want(t, "the old token after the start", err, berth.Unauthenticated)
		if _, err := ws.AgentForLink(ctx, fresh); err != nil {
			t.Error(err)
		}
		// The next rotation does not wait any more.
		if _, err := ws.RotateAgentKey(ctx, h.mel, id); err != nil {
			t.Error(err)
		}
	})
}

// A build that was running when the key was rotated brings tokens of the old one.
func TestRotationDuringABuild(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		ws, ctx := h.workspaces, t.Context()
		v, err := ws.Create(ctx, h.mel, workspaces.Create{Name: "box", Template: "dev"})
		must(t, err)
		j, c := h.take()
		_, err = ws.RotateAgentKey(ctx, h.mel, v.Workspace.ID)
		must(t, err)
		_, err = h.queue.Judge(ctx, c, berth.Plan{})
		must(t, err)
		r := started(t, j, 1)
		must(t, h.queue.Finish(ctx, c, r))
		if _, err := ws.AgentForLink(ctx, r.Agents[0].Token); err != nil {
			t.Errorf("the agent of the build that ran: %v", err)
		}
		_, err = ws.RotateAgentKey(ctx, h.mel, v.Workspace.ID)
		want(t, "a rotation while one waits", err, berth.Conflict)
		must(t, h.build(h.mel, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Start}))
		h.finishStart(2)
		_, err = ws.AgentForLink(ctx, r.Agents[0].Token)
		want(t, "the old token after the next start", err, berth.Unauthenticated)
	})
}

func TestSecondLinksAreAuditedNowAndThen(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		ws, ctx := h.workspaces, t.Context()
		v, token := h.running(h.mel, "box")
		who, err := ws.AgentForLink(ctx, token)
		must(t, err)
		must(t, ws.Linked(ctx, who.Agent.ID))
		for range 50 {
			must(t, ws.SecondLink(ctx, who.Agent.ID, "10.6.6.6:666\x1b[0m"))
		}
		if n := h.audits(v.Workspace.ID, "agent-second-link"); n != 1 {
			t.Errorf("%d rows", n)
		}
		v, err = ws.Get(ctx, h.mel, v.Workspace.ID)
		must(t, err)
		if got := strings.Join(v.Agents[0].Notes, ""); !v.Healthy || !strings.Contains(got, "from 10.6.6.6:666[0m, and was refused") {
			t.Errorf("%v %q", v.Healthy, got)
		}
	})
}

func TestTrouble(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		ws, ctx := h.workspaces, t.Context()
		v, token := h.running(h.mel, "box")
		h.suspend(h.mel, berth.UserSuspended)
		_, err := ws.AgentByToken(ctx, token)
		want(t, "a report for a suspended owner", err, berth.Forbidden)
		who, err := ws.AnyAgent(ctx, token)
		must(t, err)
		h.suspend(h.mel, berth.UserActive)
		want(t, "no checks", ws.AgentTrouble(ctx, who, nil), berth.Invalid)
		many := make([]berth.Check, 1000)
		for i := range many {
			many[i] = berth.Check{Kind: "tcp", OK: true, Detail: strings.Repeat("x\n", 10000)}
		}
		must(t, ws.AgentTrouble(ctx, who, many))
		see := func() berth.Agent {
			v, err := ws.Get(ctx, h.mel, v.Workspace.ID)
			must(t, err)
			return v.Agents[0].Agent
		}
		if got := see().Trouble; got == nil || len(got.Checks) != 20 || len(got.Checks[0].Detail) > 500 || strings.Contains(got.Checks[0].Detail, "\n") {
			t.Errorf("%+v", got)
		}
		must(t, ws.Linked(ctx, who.Agent.ID))
		if got := see().Trouble; got != nil {
			t.Errorf("after a link: %+v", got)
		}
		must(t, ws.AgentTrouble(ctx, who, many))
		if got := see().Trouble; got != nil {
			t.Errorf("of a linked agent: %+v", got)
		}
	})
}

func TestTrespassers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		ws, ctx := h.workspaces, t.Context()
		v, token := h.running(h.mel, "box")
		who, err := ws.AgentForLink(ctx, token)
		must(t, err)
		hash := sha256.Sum256([]byte(token))
		linked := map[berth.AgentID][]byte{who.Agent.ID: hash[:]}
		out := func() string {
			t.Helper()
			got, err := ws.Trespassers(ctx, linked)
			must(t, err)
			return got[who.Agent.ID]
		}
		if why := out(); why != "" {
			t.Error(why)
		}
		h.suspend(h.mel, berth.UserSuspended)
		if why := out(); !strings.Contains(why, "suspended") {
			t.Errorf("%q", why)
		}
		h.suspend(h.mel, berth.UserActive)
		stolen := sha256.Sum256([]byte("older"))
		if got, _ := ws.Trespassers(ctx, map[berth.AgentID][]byte{who.Agent.ID: stolen[:]}); got[who.Agent.ID] == "" {
			t.Error("a link with another token stays")
		}
		must(t, h.build(h.mel, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Stop}))
		if why := out(); why != "" {
			t.Errorf("while the stop runs: %s", why)
		}
		h.run(stopped(2))
		if why := out(); why == "" {
			t.Error("after the stop the link stays")
		}
	})
}
