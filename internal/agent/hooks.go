package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// linkPatience is how long the start waits for the first link, so that people
// can watch and enter. Work does not depend on it.
const linkPatience = 5 * time.Second

// start takes the steps of the start, once per process, reports how they went,
// and then runs scheduled scripts until ctx ends.
func (a *agent) start(ctx context.Context, s *scripts) {
	a.states.set(berth.AgentStarting)
	select {
	case <-a.linked:
	case <-time.After(linkPatience):
	case <-ctx.Done():
		return
	}
	hooks := a.manifest.Load().Hooks
	if len(hooks) == 0 {
		hooks = []api.Hook{{Kind: "scripts", Name: "scripts"}}
	}
	state := berth.AgentReady
	for _, h := range hooks {
		if ctx.Err() != nil {
			return
		}
		switch a.hook(ctx, h, s) {
		case exitFailure:
			state = berth.AgentStartError
		case timedOut:
			if state == berth.AgentReady {
				state = berth.AgentStartTimeout
			}
		}
	}
	if ctx.Err() != nil {
		return // shutting_down has been said already
	}
	// Who sees that the start is over sees all of its steps.
	a.tellSteps(ctx)
	a.states.set(state)
	s.runCron(ctx)
}

// stepsPatience is how long the end of the start waits for the server to know
// the steps.
const stepsPatience = 2 * time.Second

func (a *agent) tellSteps(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepsPatience)
	defer cancel()
	a.steps.Flush(ctx)
}

// hook takes one step. Only the template's scripts decide how the start went: a
// hook of the image or of the person that fails is shown as a failed step, and
// the workspace is ready all the same. A kind that this agent does not know is
// from a newer server, and skipped.
func (a *agent) hook(ctx context.Context, h api.Hook, s *scripts) outcome {
	switch h.Kind {
	case "identity":
		a.identify(ctx, h)
	case "configure":
		a.runConfigure(ctx, h)
	case "personalize":
		a.runPersonalize(ctx, h)
	case "dotfiles":
		a.runDotfiles(ctx, h)
	case "scripts":
		return s.runAll(ctx, "start", func(s berth.Script) bool { return s.RunOnStart })
	default:
		a.say("warn", "start", fmt.Sprintf("Skipped the step %q: this agent does not know steps of kind %q. A restart of the workspace brings a newer agent.", h.Name, h.Kind))
	}
	return succeeded
}

// stop runs the stop scripts and reports the end.
func (a *agent) stop(ctx context.Context, s *scripts) {
	a.lines.allow(stopLogBytes)
	switch s.runAll(ctx, "stop", func(s berth.Script) bool { return s.RunOnStop }) {
	case exitFailure:
		a.states.set(berth.AgentShutdownError)
	case timedOut:
		a.states.set(berth.AgentShutdownTimeout)
	default:
		a.states.set(berth.AgentOff)
	}
}
