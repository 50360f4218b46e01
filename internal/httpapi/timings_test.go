package httpapi_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/server/servertest"
)

// stages are those of a workspace's build, and the steps.
func stages(t *testing.T, c *client.Client, id string, number int) (all []string) {
	t.Helper()
	got, err := c.BuildTimings(t.Context(), id, number)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Timings {
		name := x.Stage
		if x.Resource != "" {
			name += "/" + x.Resource
		}
		if x.End == nil {
			name += "…"
		}
		all = append(all, name)
	}
	return all
}

// How long a start took is kept with the build, and stays when the agent is gone.
func TestTimingsOfAStart(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		ctx := t.Context()
		c, _ := s.FirstUser(t)
		r := s.Runner(t)
		servertest.Push(t, c, "plain")
		w := servertest.Create(t, c, "plain", "dev")
		if _, err := c.BuildTimings(ctx, w.ID, 2); !errors.Is(err, berth.NotFound) {
			t.Errorf("of a build that is not there: %v", err)
		}
		a := s.Client(t, r.AgentToken("admin/dev"))
		start := func(boot int64, steps ...berth.Step) {
			t.Helper()
			for _, do := range []func(context.Context) error{
				func(ctx context.Context) error {
					_, err := a.AgentHello(ctx, api.AgentHello{Protocol: api.AgentProtocol, Version: "test", Boot: boot})
					return err
				},
				func(ctx context.Context) error {
					return a.AgentLifecycle(ctx, api.AgentState{Boot: boot, Lifecycle: "starting", At: time.Now()})
				},
				func(ctx context.Context) error { return a.AgentSteps(ctx, api.AgentSteps{Boot: boot, Steps: steps}) },
			} {
				if err := do(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		ready := func(boot int64) {
			t.Helper()
			if err := a.AgentLifecycle(ctx, api.AgentState{Boot: boot, Lifecycle: "ready", At: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		step := berth.Step{Kind: "script", Name: "install", Status: berth.StepRunning, StartedAt: time.Now()}
		start(1, step)
		if got := stages(t, c, w.ID, 1); !slices.Contains(got, "start…") || !slices.Contains(got, "start/install…") {
			t.Errorf("while it starts: %v", got)
		}
		step.Status, step.ExitCode, step.EndedAt = berth.StepFailed, 3, time.Now()
		if err := a.AgentSteps(ctx, api.AgentSteps{Boot: 1, Steps: []berth.Step{step}}); err != nil {
			t.Fatal(err)
		}
		ready(1)
		want := stages(t, c, w.ID, 1)
		if !slices.Contains(want, "start") || !slices.Contains(want, "start/install") {
			t.Errorf("once it has started: %v", want)
		}
		// The process begins anew: that is not the build's start.
		start(2)
		ready(2)
		b, err := c.CreateBuild(ctx, w.ID, api.CreateBuild{Transition: "stop"})
		if err != nil {
			t.Fatal(err)
		}
		servertest.Finished(t, c, b.ID)
		if got := stages(t, c, w.ID, 1); !slices.Equal(got, want) {
			t.Errorf("once it was stopped: %v, want %v", got, want)
		}
		if got := stages(t, c, w.ID, 2); slices.Contains(got, "start") {
			t.Errorf("of the stop: %v", got)
		}
	})
}
