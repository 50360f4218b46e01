package agent

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/berthdev/berth"
)

// scripts are the template's scripts of one agent process.
type scripts struct {
	agent    *agent
	list     []berth.Script
	patience patience
}

func (a *agent) newScripts() *scripts {
	return &scripts{agent: a, list: a.manifest.Load().Agent.Scripts, patience: usualPatience}
}

// runAll runs the scripts that pick chooses, all at once, and gives the worst
// of their outcomes: a failure, then a timeout.
func (s *scripts) runAll(ctx context.Context, stage string, pick func(berth.Script) bool) outcome {
	var mu sync.Mutex
	worst := succeeded
	rank := map[outcome]int{succeeded: 0, interrupted: 1, timedOut: 2, exitFailure: 3}
	var all sync.WaitGroup
	for _, script := range s.list {
		if !pick(script) {
			continue
		}
		all.Go(func() {
			got := s.agent.runScript(ctx, script, stage, s.patience)
			mu.Lock()
			defer mu.Unlock()
			if rank[got] > rank[worst] {
				worst = got
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
	for _, script := range s.list {
		if script.Cron == "" {
			continue
		}
		schedule, err := cronParser.Parse(script.Cron)
		if err != nil {
			s.agent.lines.add("error", "cron", script.DisplayName, fmt.Sprintf("The schedule %q cannot be read: %v.", script.Cron, err))
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
					if !pause(ctx, min(wait, time.Minute)) {
						return
					}
				}
				if ctx.Err() != nil {
					return
				}
				result := s.agent.runScript(ctx, script, "cron", s.patience)
				s.agent.log.Debug("a scheduled script ran", slog.String("script", script.DisplayName), slog.Int("outcome", int(result)))
			}
		})
	}
}
