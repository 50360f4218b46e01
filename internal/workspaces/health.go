package workspaces

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// setting is what the health of an agent is judged in.
type setting struct {
	now       time.Time
	accessURL string // of the server, as agents are given it
	version   string // of the server, and of the agent that it brings; empty: not known
	workspace string // name
}

func (s *Service) setting(w berth.Workspace, now time.Time) setting {
	return setting{now: now, accessURL: s.opt.AccessURL, version: berth.Release, workspace: w.Name}
}

// agentView derives what is shown of an agent.
func agentView(a berth.Agent, in setting) AgentView {
	v := AgentView{Agent: a, Status: a.Status(in.now)}
	v.Health = ill(a, v.Status, in)
	if v.Healthy = v.Health == ""; v.Healthy && waits(a, v.Status) {
		v.Health = "waits for its agent: " + outsideHint(a, in)
	}
	v.Notes = notes(a, v, in)
	starting := a.Lifecycle == berth.AgentCreated || a.Lifecycle == berth.AgentStarting
	v.Blocks = starting && slices.ContainsFunc(a.Scripts, func(s berth.Script) bool { return s.StartBlocksLogin && s.RunOnStart })
	return v
}

// ill is why an agent counts as unhealthy, with what to do about it; empty when
// it does not.
func ill(a berth.Agent, status berth.AgentStatus, in setting) string {
	switch {
	case status != berth.AgentConnected && a.Lifecycle == berth.AgentOff && a.Outside:
		return "the agent is not running: start it again, " + outsideHint(a, in)
	case status != berth.AgentConnected && a.Lifecycle == berth.AgentOff:
		return fmt.Sprintf("the agent is not running: berth start %s brings it back", in.workspace)
	case status == berth.AgentConnectTimeout:
		if known := troubled(a); known != "" {
			return known
		}
		return never(a, in)
	case status == berth.AgentDisconnected:
		if known := troubled(a); known != "" {
			return "the agent has lost its connection: " + known
		}
		cure := "berth restart " + in.workspace
		if a.Outside {
			cure = outsideHint(a, in)
		}
		return "the agent has lost its connection, last heard of " + ago(in.now.Sub(a.SeenAt)) +
			": it comes back by itself if its computer runs; if not, " + cure
	case a.Lifecycle == berth.AgentStartError:
		return fmt.Sprintf("a start script exited with an error: see berth logs %s.%s", in.workspace, a.Name)
	case a.Lifecycle == berth.AgentShuttingDown:
		return "the agent is shutting down"
	}
	return ""
}

// waits tells whether an agent waits for a person to start it.
func waits(a berth.Agent, status berth.AgentStatus) bool {
	return a.Outside && status == berth.AgentConnecting && a.Trouble == nil
}

// outsideHint is the command that tells how to start an agent.
func outsideHint(a berth.Agent, in setting) string {
	return "berth external-agent " + in.workspace + "." + a.Name
}

// notes is what else to know of an agent.
func notes(a berth.Agent, v AgentView, in setting) (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if v.Status == berth.AgentConnecting {
		if known := troubled(a); known != "" {
			add("%s", known)
		}
	}
	if a.Lifecycle == berth.AgentStartTimeout {
		add("a start script took longer than its timeout: see berth logs %s.%s", in.workspace, a.Name)
	}
	if s := a.Second; s != nil {
		add("a second process tried to link with this agent's token, last %s, from %s, and was refused: if the template does not start two computers with one agent, the token may be stolen; berth rotate-key %s and restart it",
			ago(in.now.Sub(s.At)), s.From, in.workspace)
	}
	if v.Status == berth.AgentConnected && a.Version != "" && in.version != "" && a.Version != in.version {
		add("the agent (%s) is older than the server (%s): restart to update it", text(a.Version, 60), in.version)
	}
	return all
}

// troubled says what keeps an agent from linking, as it found out itself.
func troubled(a berth.Agent) string {
	if a.Trouble == nil {
		return ""
	}
	for _, c := range a.Trouble.Checks {
		if !c.OK {
			return sentence(c)
		}
	}
	return ""
}

// sentence is a check that failed, in one sentence.
func sentence(c berth.Check) string {
	switch {
	case c.Fix == "":
		return c.Detail
	case c.Detail == "":
		return c.Fix
	}
	return c.Detail + ": " + c.Fix
}

// never says what may be the matter with an agent of which nothing was ever
// heard, and where to look.
func never(a berth.Agent, in setting) string {
	kind := resourceType(a.Resource)
	if inContainer(kind) && loopback(in.accessURL) {
		return fmt.Sprintf("%s is not reachable from inside a container: start the server with --access-url and an address that containers reach", in.accessURL)
	}
	if kind != "" && kind != "berth_process" && loopback(in.accessURL) {
		return fmt.Sprintf("%s is not reachable from another computer: start the server with --access-url and an address that workspaces reach", in.accessURL)
	}
	if a.Version != "" {
		return fmt.Sprintf("the agent has called the server but not linked since it was made %s: see %s", ago(in.now.Sub(a.CreatedAt)), logOf(kind))
	}
	say := fmt.Sprintf("nothing was heard of the agent since it was made %s: see %s; the usual causes are that its computer did not run the init script, has none of curl, wget and busybox, or cannot reach %s",
		ago(in.now.Sub(a.CreatedAt)), logOf(kind), in.accessURL)
	if a.TroubleshootURL != "" {
		say += " (" + a.TroubleshootURL + ")"
	}
	return say
}

// logOf says where the output of an agent is that runs in a resource of a type.
func logOf(kind string) string {
	switch {
	case strings.HasPrefix(kind, "docker_"):
		return "its log with docker logs CONTAINER"
	case strings.HasPrefix(kind, "kubernetes_"):
		return "its log with kubectl logs POD"
	case kind == "berth_process":
		return "its log in .log of the workspace's directory"
	}
	return "/tmp/berth-agent.log and the system's log on its computer"
}

// resourceType is the type in the address of a resource.
func resourceType(address string) string {
	parts := strings.Split(address, ".")
	for len(parts) > 2 && parts[0] == "module" {
		parts = parts[2:]
	}
	return parts[0]
}

// inContainer tells whether a resource of a type is a container, whose loopback
// addresses are its own.
func inContainer(kind string) bool {
	return strings.HasPrefix(kind, "docker_") || strings.HasPrefix(kind, "kubernetes_") || strings.HasPrefix(kind, "podman_") || kind == "nomad_job"
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// ago says how long ago something was.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute ago"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// health is healthy when no agent fails; else it names the first that does. Of
// healthy ones, it says which waits for a person.
func health(agents []AgentView) (healthy bool, says string) {
	for _, a := range agents {
		if !a.Healthy {
			return false, a.Agent.Name + ": " + a.Health
		}
		says = cmp.Or(says, a.Health)
	}
	return true, says
}
