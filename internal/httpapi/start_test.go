package httpapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/server/servertest"
)

// What an agent is told of its start, and what it tells of the steps.
func TestStepsOfAStart(t *testing.T) {
	t.Parallel()
	servertest.Run(t, func(t *testing.T, s *servertest.Server) {
		ctx := t.Context()
		c, _ := s.FirstUser(t)
		r := s.Runner(t)
		servertest.Push(t, c, "plain")
		w := servertest.Create(t, c, "plain", "dev")
		a := s.Client(t, r.AgentToken("admin/dev"))
		hello := func(boot int64) api.Manifest {
			t.Helper()
			m, err := a.AgentHello(ctx, api.AgentHello{Protocol: api.AgentProtocol, Version: "test", Boot: boot})
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		m := hello(1)
		var kinds []string
		for _, h := range m.Hooks {
			kinds = append(kinds, h.Kind)
		}
		if got := strings.Join(kinds, " "); got != "identity configure personalize dotfiles scripts" {
			t.Errorf("hooks: %s", got)
		}
		if !m.FirstStart || m.BuildNumber != 1 || m.BuildReason == "" || m.Organization != "default" || m.OrganizationID == "" || m.Provider == "" {
			t.Errorf("the first start: %+v", m)
		}

		now := time.Now().UTC().Truncate(time.Millisecond)
		running := berth.Step{Kind: "personalize", Name: "personalize", Status: berth.StepRunning, StartedAt: now}
		report := func(boot int64, steps ...berth.Step) error {
			return a.AgentSteps(ctx, api.AgentSteps{Boot: boot, Steps: steps})
		}
		seen := func() []berth.Step {
			t.Helper()
			got, err := c.Workspace(ctx, w.ID)
			if err != nil || len(got.Agents) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			return got.Agents[0].Steps
		}
		if err := report(1, running); err != nil {
			t.Fatal(err)
		}
		if got := seen(); len(got) != 1 || got[0] != running {
			t.Errorf("%+v", got)
		}
		if err := report(1, berth.Step{Name: "x", Status: "great"}); !errors.Is(err, berth.Invalid) {
			t.Errorf("a status that there is not: %v", err)
		}
		if err := report(0, running); !errors.Is(err, berth.Conflict) {
			t.Errorf("an older process: %v", err)
		}
		many := make([]berth.Step, 1000)
		for i := range many {
			many[i] = running
		}
		if err := report(1, many...); err != nil || len(seen()) != 200 {
			t.Errorf("%d steps, %v", len(seen()), err)
		}
		// A process that was killed in the middle of a step leaves nothing that
		// seems to run: the next one begins anew.
		hello(2)
		if got := seen(); len(got) != 0 {
			t.Errorf("of the process before: %+v", got)
		}

		for _, transition := range []string{"stop", "start"} {
			b, err := c.CreateBuild(ctx, w.ID, api.CreateBuild{Transition: transition})
			if err != nil {
				t.Fatal(err)
			}
			servertest.Finished(t, c, b.ID)
			if transition == "stop" {
				if err := report(2, running); err == nil {
					t.Error("steps of a stopped workspace's agent are taken")
				}
			}
		}
		a = s.Client(t, r.AgentToken("admin/dev"))
		if m := hello(3); m.FirstStart || m.BuildNumber != 3 {
			t.Errorf("the second start: %+v", m)
		}
	})
}
