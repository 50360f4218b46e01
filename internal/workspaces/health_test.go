package workspaces

import (
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func TestHealthIsOneSentenceWithTheFix(t *testing.T) {
	t.Parallel()
	now := time.Now()
	in := setting{now: now, accessURL: "http://10.0.0.1:7080", version: "v2", workspace: "web"}
	local := in
	local.accessURL = "http://127.0.0.1:7080"
	waiting := func(change ...func(*berth.Agent)) berth.Agent {
		a := berth.Agent{CreatedAt: now.Add(-5 * time.Minute), Lifecycle: berth.AgentCreated}
		a.Name, a.ConnectionTimeout, a.Resource = "main", 120, "docker_container.main[0]"
		for _, f := range change {
			f(&a)
		}
		return a
	}
	linked := func(change ...func(*berth.Agent)) berth.Agent {
		return waiting(append([]func(*berth.Agent){func(a *berth.Agent) {
			a.ConnectedAt, a.SeenAt, a.Lifecycle, a.Version = now.Add(-time.Minute), now, berth.AgentReady, "v2"
		}}, change...)...)
	}
	lost := func(a *berth.Agent) { a.Disconnected = now.Add(-time.Second) }
	at := func(l berth.AgentLifecycle) func(*berth.Agent) { return func(a *berth.Agent) { a.Lifecycle = l } }
	blocked := func(a *berth.Agent) {
		a.Trouble = &berth.Trouble{At: now, Checks: []berth.Check{{Kind: "name", OK: true, Detail: "fine"},
			{Kind: "websocket", Detail: "a proxy blocks websockets", Fix: "let it pass Upgrade requests"}}}
	}
	young := func(a *berth.Agent) { a.CreatedAt = now.Add(-time.Minute) }
	outside := func(a *berth.Agent) { a.Outside = true }
	in2 := func(resource string) func(*berth.Agent) { return func(a *berth.Agent) { a.Resource = resource } }
	tests := []struct {
		name   string
		agent  berth.Agent
		in     setting
		status berth.AgentStatus
		ill    string // part of the health; empty: healthy
		note   string // part of the notes; empty: there are none
	}{
		{"connecting", waiting(young), in, berth.AgentConnecting, "", ""},
		{"connecting, with trouble", waiting(young, blocked), in, berth.AgentConnecting, "", "a proxy blocks websockets: let it pass Upgrade requests"},
		{"timeout, with trouble", waiting(blocked), in, berth.AgentConnectTimeout, "a proxy blocks websockets: let it pass Upgrade requests", ""},
		{"never waits too long", waiting(func(a *berth.Agent) { a.ConnectionTimeout = 0 }), in, berth.AgentConnecting, "", ""},
		{"container and loopback", waiting(), local, berth.AgentConnectTimeout, "http://127.0.0.1:7080 is not reachable from inside a container: start the server with --access-url", ""},
		{"module's container", waiting(in2("module.x.kubernetes_deployment.main")), local, berth.AgentConnectTimeout, "not reachable from inside a container", ""},
		{"machine and loopback", waiting(in2("aws_instance.main")), local, berth.AgentConnectTimeout, "not reachable from another computer", ""},
		{"process", waiting(in2("berth_process.agent")), local, berth.AgentConnectTimeout, "nothing was heard of the agent since it was made 5 min ago: see its log in .log", ""},
		{"container, never", waiting(), in, berth.AgentConnectTimeout, "docker logs CONTAINER", ""},
		{"template's help", waiting(func(a *berth.Agent) { a.TroubleshootURL = "https://help.example.com" }), in, berth.AgentConnectTimeout, "(https://help.example.com)", ""},
		{"connected", linked(), in, berth.AgentConnected, "", ""},
		{"start_error", linked(at(berth.AgentStartError)), in, berth.AgentConnected, "a start script exited with an error: see berth logs web.main", ""},
		{"start_timeout is healthy", linked(at(berth.AgentStartTimeout)), in, berth.AgentConnected, "", "took longer than its timeout"},
		{"shutting down", linked(at(berth.AgentShuttingDown)), in, berth.AgentConnected, "shutting down", ""},
		{"lost", linked(lost), in, berth.AgentDisconnected, "lost its connection, last heard of less than a minute ago", ""},
		{"lost, with trouble", linked(lost, blocked), in, berth.AgentDisconnected, "lost its connection: a proxy blocks websockets", ""},
		{"silent", linked(func(a *berth.Agent) { a.SeenAt = now.Add(-time.Hour) }), in, berth.AgentDisconnected, "last heard of 1 h ago", ""},
		{"off", linked(lost, at(berth.AgentOff)), in, berth.AgentDisconnected, "the agent is not running: berth start web", ""},
		{"second", linked(func(a *berth.Agent) { a.Second = &berth.SecondLink{At: now, From: "10.9.9.9:1"} }), in, berth.AgentConnected, "", "from 10.9.9.9:1, and was refused"},
		{"by hand", waiting(outside, func(a *berth.Agent) { a.CreatedAt = now.Add(-time.Hour) }), in, berth.AgentConnecting, "", ""},
		{"by hand, with trouble", waiting(outside, blocked), in, berth.AgentConnecting, "", "a proxy blocks websockets"},
		{"by hand, lost", linked(outside, lost), in, berth.AgentDisconnected, "if not, berth external-agent web.main", ""},
		{"by hand, off", linked(outside, lost, at(berth.AgentOff)), in, berth.AgentDisconnected, "start it again, berth external-agent web.main", ""},
		{"older", linked(func(a *berth.Agent) { a.Version = "v1" }), in, berth.AgentConnected, "", "the agent (v1) is older than the server (v2): restart to update it"},
	}
	for _, tt := range tests {
		v := agentView(tt.agent, tt.in)
		if v.Status != tt.status || v.Healthy != (tt.ill == "") || !strings.Contains(v.Health, tt.ill) {
			t.Errorf("%s: %s, %q", tt.name, v.Status, v.Health)
		}
		if notes := strings.Join(v.Notes, "\n"); (notes == "") != (tt.note == "") || !strings.Contains(notes, tt.note) {
			t.Errorf("%s: notes %q", tt.name, notes)
		}
	}
}

// An agent that nobody started yet makes its workspace wait, not ill; an ill one
// beside it counts first.
func TestHealthOfAgentsThatPeopleStart(t *testing.T) {
	t.Parallel()
	now := time.Now()
	in := setting{now: now, workspace: "web"}
	old := berth.Agent{CreatedAt: now.Add(-time.Hour)}
	old.Name, old.ConnectionTimeout = "main", 120
	byHand := old
	byHand.Name, byHand.Outside = "gpu", true
	if ok, says := health([]AgentView{agentView(byHand, in)}); !ok || says != "waits for its agent: berth external-agent web.gpu" {
		t.Errorf("%v, %q", ok, says)
	}
	if ok, says := health([]AgentView{agentView(byHand, in), agentView(old, in)}); ok || !strings.HasPrefix(says, "main: ") {
		t.Errorf("%v, %q", ok, says)
	}
	byHand.ConnectedAt, byHand.SeenAt = now, now
	if ok, says := health([]AgentView{agentView(byHand, in)}); !ok || says != "" {
		t.Errorf("%v, %q", ok, says)
	}
}

func TestTextOfStrangersIsOneLine(t *testing.T) {
	t.Parallel()
	if got := text("a\x1b[31m\nb\xff\u202e  c ", 100); got != "a[31m b  c" {
		t.Errorf("%q", got)
	}
	if got := text(strings.Repeat("ü", 100), 21); len(got) > 21 || strings.ContainsRune(got, '\ufffd') {
		t.Errorf("%q", got)
	}
}
