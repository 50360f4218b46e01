package agent

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/doctor"
	"github.com/berthdev/berth/internal/agent/retry"
)

// greet says hello until the server answers with the manifest; false when ctx
// ended first.
//
// The server takes the process with the latest start for the agent. When it
// knows a later one than us, which has just begun, our clock was set back since:
// then we count from later.
func (a *agent) greet(ctx context.Context) bool {
	tries := retry.Backoff{What: "greeting the server", Log: a.log}
	for ahead := time.Minute; ; {
		err := a.hello(ctx)
		if err == nil {
			tries.Worked()
			a.lines.boot, a.states.boot, a.steps.boot = a.boot, a.boot, a.boot
			return true
		}
		if berth.ErrorCode(err) == berth.Conflict {
			a.boot += ahead.Milliseconds()
			ahead *= 2
		}
		a.doctor.Ill(ctx, doctor.Greeting, a.config.URL, err)
		if ctx.Err() != nil || !tries.Failed(ctx, err) {
			return false
		}
	}
}

// hello says once who we are and takes the manifest.
func (a *agent) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	m, err := a.server.AgentHello(ctx, api.AgentHello{
		Protocol: api.AgentProtocol, Version: a.config.Version, Boot: a.boot, Directory: a.knownDir(),
	})
	if err != nil {
		return err
	}
	if m.Protocol > api.AgentProtocol || m.Protocol < api.OldestAgentProtocol {
		return berth.InvalidField("protocol", "the server speaks version %d of the agents' protocol and this agent version %d: restart the workspace to get the server's own agent", m.Protocol, api.AgentProtocol)
	}
	a.manifest.Store(&m)
	return nil
}
