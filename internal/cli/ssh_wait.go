package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// lostAgent is how long an agent that was there is waited for.
const lostAgent = time.Minute

// full names the target with its agent.
func (t target) full() string {
	if t.agent == "" {
		return t.String()
	}
	return t.with(t.agent)
}

// awaitAgent waits until an agent is linked and its start scripts let people
// in; with scripts, until they are over in any case.
func (a *app) awaitAgent(ctx context.Context, c *client.Client, w api.Workspace, g api.Agent, t target, scripts bool) error {
	if why, _ := missing(g, scripts); why == "" {
		return nil
	}
	p := a.newProgress()
	defer p.end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var lost *time.Timer
	for w, err := range c.WatchWorkspace(ctx, w.ID) {
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		if w.Status != string(berth.StatusRunning) {
			return berth.Errorf(berth.Conflict, "%s is %s now; start it with: berth start %s", t, w.Status, t)
		}
		var err error
		if g, err = chooseAgent(w, target{owner: t.owner, name: t.name, agent: g.Name}); err != nil {
			return err
		}
		why, hopeless := missing(g, scripts)
		if why == "" {
			if g.Lifecycle == string(berth.AgentStartError) || g.Lifecycle == string(berth.AgentStartTimeout) {
				p.line(fmt.Sprintf("The start scripts of %s did not end well; see: berth logs %s", t, t.with(g.Name)))
			}
			return nil
		}
		if hopeless && lost == nil {
			lost = time.AfterFunc(lostAgent, func() {
				cancel(berth.Errorf(berth.Unavailable, "the agent %s cannot be reached: %s; berth start %s may bring it back", g.Name, first(g.Health, g.Status), t))
			})
			defer lost.Stop()
		} else if !hopeless && lost != nil {
			lost.Stop()
			lost = nil
		}
		p.say(fmt.Sprintf("waiting for %s: %s", t, why))
	}
	return ctx.Err()
}

// missing says what keeps people out of an agent, "" when nothing does;
// hopeless when it may never come.
func missing(g api.Agent, scripts bool) (why string, hopeless bool) {
	starting := g.Lifecycle == string(berth.AgentCreated) || g.Lifecycle == string(berth.AgentStarting)
	switch {
	case g.Status == string(berth.AgentConnecting):
		return because(fmt.Sprintf("its agent %s has not connected yet", g.Name), first(append([]string{g.Health}, g.Notes...)...)), false
	case g.Status == string(berth.AgentConnectTimeout):
		return because(fmt.Sprintf("its agent %s has not connected in time", g.Name), g.Health), true
	case g.Status == string(berth.AgentDisconnected):
		return because(fmt.Sprintf("its agent %s lost its connection", g.Name), g.Health), true
	case starting && (scripts || g.Blocks):
		return "its start scripts are running (--wait=no does not wait for them)", false
	}
	return "", false
}

// because adds what is known of the cause, which other people's computers say.
func because(what, cause string) string {
	if cause = cell(cause); cause == "" {
		return what
	}
	return what + "; " + cause
}
