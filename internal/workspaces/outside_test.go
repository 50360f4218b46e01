package workspaces_test

import (
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/workspaces"
)

// The token of an agent that a person starts goes to the owner of its workspace
// and to nobody else, is the one that its build gave it, and is recorded.
func TestOutsideAgent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "web", Template: "dev"})
		must(t, err)
		id := v.Workspace.ID
		ask := func(who authz.Actor) (workspaces.OutsideStart, error) {
			return h.workspaces.OutsideAgent(t.Context(), who, id, "-")
		}
		refused := func(what string, who authz.Actor, code berth.Code, says string) {
			t.Helper()
			_, err := ask(who)
			want(t, what, err, code)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", what, err, says)
			}
		}
		refused("before its build", h.mel, berth.Unavailable, "wait until its build has ended")
		start := func(serial int64, change func(*berth.AgentSpec)) string {
			j, c := h.take()
			_, err := h.queue.Judge(t.Context(), c, berth.Plan{})
			must(t, err)
			r := started(t, j, serial)
			change(&r.Agents[0].AgentSpec)
			must(t, h.queue.Finish(t.Context(), c, r))
			return r.Agents[0].Token
		}
		again := func(serial int64, change func(*berth.AgentSpec)) string {
			must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
			h.run(stopped(serial))
			refused("of a stopped one", h.mel, berth.Conflict, "berth start web")
			must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
			return start(serial+1, change)
		}
		start(1, func(*berth.AgentSpec) {})
		refused("an agent of the template", h.mel, berth.Conflict, "coder_external_agent")
		again(2, func(a *berth.AgentSpec) { a.Outside, a.OS = true, "windows" })
		refused("no agent for that", h.mel, berth.Conflict, "no agent for windows/amd64")
		token := again(4, func(a *berth.AgentSpec) { a.Outside = true })
		if n := h.audits(id, "external-agent"); n != 0 {
			t.Errorf("%d rows of what was refused", n)
		}

		o, err := ask(h.mel)
		must(t, err)
		command := `curl -fsSL "http://berth.test:7777/api/v2/init-script/linux/amd64" | CODER_AGENT_TOKEN="` + token + `" sh`
		if o.Token != token || o.Command != command || h.audits(id, "external-agent") != 1 {
			t.Errorf("%+v, want %s", o, command)
		}
		_, err = h.workspaces.RotateAgentKey(t.Context(), h.mel, id)
		must(t, err)
		if o, err := ask(h.mel); err != nil || o.Token != token {
			t.Errorf("after its key was rotated: %+v, %v", o, err)
		}

		refused("a stranger", h.eve, berth.NotFound, "")
		refused("who manages templates", h.admin, berth.Forbidden, "")
		refused("the owner of the site", h.owner, berth.Forbidden, "only the owner")
		must(t, h.share(h.mel, id, with("eve", "admin")))
		refused("with whom it is shared", h.eve, berth.Forbidden, "only the owner")
		narrow := h.mel
		narrow.Scopes = []authz.Scope{authz.ScopeConnect}
		refused("a token that may connect", narrow, berth.Forbidden, "may read their secrets")
		narrow.Scopes = []authz.Scope{authz.ScopeWorkspace}
		refused("what runs in a workspace", narrow, berth.Forbidden, "may read their secrets")
	})
}

func TestInitScriptByHand(t *testing.T) {
	t.Parallel()
	s := &workspaces.Service{}
	if _, err := s.InitScript("linux", "mips"); berth.ErrorCode(err) != berth.NotFound {
		t.Error(err)
	}
	text, err := s.InitScript("linux", "arm64")
	if err != nil || !strings.Contains(text, "berth-agent-linux-arm64") || strings.Contains(text, "${A") || strings.Contains(text, "@BINARY@") {
		t.Errorf("%v\n%s", err, text)
	}
}
