package agent

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/retry"
)

// scripts are the template's scripts of one agent process.
type scripts struct {
	agent *agent
	list  []berth.Script
	names []string // of their lines in the log and of their steps; no two alike
}

func (a *agent) newScripts() *scripts {
	m := a.manifest.Load()
	s := &scripts{agent: a, list: m.Agent.Scripts}
	taken := map[string]bool{"agent": true, identitySource: true}
	for _, h := range m.Hooks {
		taken[h.Name] = true
	}
	for _, script := range s.list {
		name := cmp.Or(script.DisplayName, script.ID, "script")
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s (%d)", cmp.Or(script.DisplayName, script.ID, "script"), n)
		}
		taken[name] = true
		s.names = append(s.names, name)
	}
	return s
}

// runAll runs the scripts that pick chooses, all at once, and gives the worst
// of their outcomes: a failure, then a timeout. Those of the start are steps of
// it.
func (s *scripts) runAll(ctx context.Context, stage string, pick func(berth.Script) bool) outcome {
	var mu sync.Mutex
	worst := succeeded
	var all sync.WaitGroup
	for i, script := range s.list {
		if !pick(script) {
			continue
		}
		end := func(berth.StepStatus, int, string) {}
		if stage == "start" {
			end = s.agent.steps.begin("script", s.names[i])
		}
		all.Go(func() {
			got := s.agent.runScript(ctx, script, s.names[i], stage)
			end(got.status(), got.exit, got.detail)
			mu.Lock()
			defer mu.Unlock()
			if ranks[got.outcome] > ranks[worst] {
				worst = got.outcome
			}
		})
	}
	all.Wait()
	return worst
}

// cronParser reads six fields, the first for seconds, or @hourly and the like.
var cronParser = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// runCron runs the scripts with a schedule until ctx ends, and waits for those
// that run then. A script never runs twice at once.
func (s *scripts) runCron(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for i, script := range s.list {
		if script.Cron == "" {
			continue
		}
		schedule, err := cronParser.Parse(script.Cron)
		if err != nil {
			s.agent.lines.add("error", "cron", s.names[i], fmt.Sprintf("The schedule %q cannot be read: %v.", script.Cron, err))
			continue
		}
		running.Go(func() {
			for {
				next := schedule.Next(time.Now())
				if next.IsZero() { // such a time never comes
					return
				}
				// Looks again at least each minute: clocks jump and computers sleep.
				for wait := time.Until(next); wait > 0; wait = time.Until(next) {
					if !retry.Pause(ctx, min(wait, time.Minute)) {
						return
					}
				}
				if ctx.Err() != nil {
					return
				}
				result := s.agent.runScript(ctx, script, s.names[i], "cron")
				s.agent.log.Debug("a scheduled script ran", slog.String("script", s.names[i]), slog.Int("outcome", int(result.outcome)))
			}
		})
	}
}
