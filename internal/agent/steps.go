package agent

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

// maxSteps is how many steps are reported; a template may have any number of
// scripts.
const maxSteps = 200

// stepQueue keeps the steps of the start and tells the server of them. The
// newest report has all of them, so none is queued behind another.
type stepQueue struct {
	*retry.Outbox
	boot int64 // set before the first step
	list []berth.Step
}

func newStepQueue(log *slog.Logger, send func(context.Context, api.AgentSteps) error) *stepQueue {
	q := &stepQueue{}
	q.Outbox = retry.NewOutbox(log, "the steps of the start", func() retry.Report {
		all := api.AgentSteps{Boot: q.boot, Steps: slices.Clone(q.list)}
		return retry.Report{UpTo: q.News(), Send: func(ctx context.Context) error { return send(ctx, all) }}
	})
	q.Gather, q.Newer = batching, true
	return q
}

// begin adds a step that runs from now on. What is given back ends it.
func (q *stepQueue) begin(kind, name string) (end func(status berth.StepStatus, exitCode int, detail string)) {
	q.Lock()
	defer q.Unlock()
	if len(q.list) >= maxSteps {
		return func(berth.StepStatus, int, string) {}
	}
	at := len(q.list)
	q.list = append(q.list, berth.Step{Kind: kind, Name: name, Status: berth.StepRunning, StartedAt: time.Now().UTC()})
	q.Note()
	return func(status berth.StepStatus, exitCode int, detail string) {
		q.Lock()
		defer q.Unlock()
		s := &q.list[at]
		s.Status, s.ExitCode, s.Detail = status, exitCode, detail
		// A clock that was set back must not make a step end before it began.
		s.EndedAt = time.Now().UTC()
		if s.EndedAt.Before(s.StartedAt) {
			s.EndedAt = s.StartedAt
		}
		q.Note()
	}
}
