package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// maxSteps is how many steps are reported; a template may have any number of
// scripts.
const maxSteps = 200

// stepQueue keeps the steps of the start and tells the server of them, however
// long it is away. The newest report has all of them, so none is queued behind
// another.
type stepQueue struct {
	boot int64 // set before the first step
	log  *slog.Logger
	send func(context.Context, api.AgentSteps) error

	mu    sync.Mutex
	list  []berth.Step
	news  int           // counts changes
	told  int           // the change that the server knows last
	hurry bool          // somebody waits for the queue to be empty
	wake  chan struct{} // has room for one
	empty chan struct{} // closed while the server knows all
}

func newStepQueue(log *slog.Logger, send func(context.Context, api.AgentSteps) error) *stepQueue {
	q := &stepQueue{log: log, send: send, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(q.empty)
	return q
}

// begin adds a step that runs from now on. What is given back ends it.
func (q *stepQueue) begin(kind, name string) (end func(status berth.StepStatus, exitCode int, detail string)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) >= maxSteps {
		return func(berth.StepStatus, int, string) {}
	}
	at := len(q.list)
	q.list = append(q.list, berth.Step{Kind: kind, Name: name, Status: berth.StepRunning, StartedAt: time.Now().UTC()})
	q.changed()
	return func(status berth.StepStatus, exitCode int, detail string) {
		q.mu.Lock()
		defer q.mu.Unlock()
		s := &q.list[at]
		s.Status, s.ExitCode, s.Detail = status, exitCode, detail
		// A clock that was set back must not make a step end before it began.
		s.EndedAt = time.Now().UTC()
		if s.EndedAt.Before(s.StartedAt) {
			s.EndedAt = s.StartedAt
		}
		q.changed()
	}
}

// changed notes that there is something to tell; mu is held.
func (q *stepQueue) changed() {
	if q.news == q.told {
		q.empty = make(chan struct{})
	}
	q.news++
	wake(q.wake)
}

// next is the report to send, and the change that it tells; 0: none.
func (q *stepQueue) next() (steps []berth.Step, news int, hurry bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.news == q.told {
		return nil, 0, q.hurry
	}
	return slices.Clone(q.list), q.news, q.hurry
}

// run sends until ctx ends.
func (q *stepQueue) run(ctx context.Context) {
	tries := backoff{what: "reporting the steps of the start", log: q.log}
	for {
		steps, news, hurry := q.next()
		if news == 0 {
			select {
			case <-q.wake:
			case <-ctx.Done():
				return
			}
			if !hurry {
				q.collect(ctx)
			}
			continue
		}
		err := withTimeout(ctx, func(ctx context.Context) error {
			return q.send(ctx, api.AgentSteps{Boot: q.boot, Steps: steps})
		})
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			tries.worked()
		case isFinalAnswer(err):
			q.log.Warn("the server does not take the steps of this agent's start", "error", err)
		default:
			if !tries.failed(ctx, err) {
				return
			}
			continue
		}
		q.sent(news)
	}
}

// isFinalAnswer tells whether sending the same again is of no use: it cannot be
// read, there is no such call on an older server, or a newer process speaks for
// this agent.
func isFinalAnswer(err error) bool {
	switch berth.ErrorCode(err) {
	case berth.Invalid, berth.Conflict, berth.NotFound:
		return true
	}
	return false
}

// collect waits a moment for more changes, unless somebody waits for the queue
// to be empty.
func (q *stepQueue) collect(ctx context.Context) {
	end := time.NewTimer(batching)
	defer end.Stop()
	for {
		select {
		case <-end.C:
			return
		case <-ctx.Done():
			return
		case <-q.wake:
			if _, _, hurry := q.next(); hurry {
				return
			}
		}
	}
}

func (q *stepQueue) sent(news int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.told = news
	if q.told == q.news {
		close(q.empty)
	}
}

// flush waits until the server knows all; false when ctx ended first.
func (q *stepQueue) flush(ctx context.Context) bool {
	q.mu.Lock()
	q.hurry = true
	empty := q.empty
	wake(q.wake)
	q.mu.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}
