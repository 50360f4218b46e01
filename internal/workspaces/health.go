package workspaces

import (
	"slices"
	"time"

	"github.com/berthdev/berth"
)

// agentView derives what is shown of an agent at a time.
func agentView(a berth.Agent, now time.Time) AgentView {
	v := AgentView{Agent: a, Status: a.Status(now)}
	switch {
	case v.Status != berth.AgentConnected && a.Lifecycle == berth.AgentOff:
		v.Health = "the agent is not running"
	case v.Status == berth.AgentConnectTimeout:
		v.Health = "the agent is taking longer than expected to connect"
	case v.Status == berth.AgentDisconnected:
		v.Health = "the agent has lost its connection"
	case a.Lifecycle == berth.AgentStartError:
		v.Health = "a start script exited with an error"
	case a.Lifecycle == berth.AgentShuttingDown:
		v.Health = "the agent is shutting down"
	}
	v.Healthy = v.Health == ""
	starting := a.Lifecycle == berth.AgentCreated || a.Lifecycle == berth.AgentStarting
	v.Blocks = starting && slices.ContainsFunc(a.Scripts, func(s berth.Script) bool { return s.StartBlocksLogin && s.RunOnStart })
	return v
}

// health is healthy when no agent fails; else it names the first that does.
func health(agents []AgentView) (bool, string) {
	for _, a := range agents {
		if !a.Healthy {
			return false, a.Agent.Name + ": " + a.Health
		}
	}
	return true, ""
}
