package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// stateQueue tells the server every state of the lifecycle, in order, however
// long the server is away. There are few states, so it needs no bound.
type stateQueue struct {
	boot int64 // set before the first state
	log  *slog.Logger
	send func(context.Context, api.AgentState) error

	mu      sync.Mutex
	pending []api.AgentState
	wake    chan struct{} // has room for one
	empty   chan struct{} // closed while nothing is pending
}

func newStateQueue(log *slog.Logger, send func(context.Context, api.AgentState) error) *stateQueue {
	q := &stateQueue{log: log, send: send, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(q.empty)
	return q
}

// set reports that the agent entered state now.
func (q *stateQueue) set(state berth.AgentLifecycle) {
	q.log.Info("agent is "+string(state), "lifecycle", state)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) == 0 {
		q.empty = make(chan struct{})
	}
	q.pending = append(q.pending, api.AgentState{Boot: q.boot, Lifecycle: string(state), At: time.Now().UTC()})
	wake(q.wake)
}

// run sends until ctx ends.
func (q *stateQueue) run(ctx context.Context) {
	tries := backoff{what: "reporting the agent's state", log: q.log}
	for {
		q.mu.Lock()
		var next *api.AgentState
		if len(q.pending) > 0 {
			next = &q.pending[0]
		}
		q.mu.Unlock()
		if next == nil {
			select {
			case <-q.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		err := withTimeout(ctx, func(ctx context.Context) error { return q.send(ctx, *next) })
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			tries.worked()
		case berth.ErrorCode(err) == berth.Invalid, berth.ErrorCode(err) == berth.Conflict:
			q.log.Warn("the server does not take a state of this agent", "lifecycle", next.Lifecycle, "error", err)
		default:
			if !tries.failed(ctx, err) {
				return
			}
			continue
		}
		q.mu.Lock()
		if q.pending = q.pending[1:]; len(q.pending) == 0 {
			close(q.empty)
		}
		q.mu.Unlock()
	}
}

// flush waits until everything is sent; false when ctx ended first.
func (q *stateQueue) flush(ctx context.Context) bool {
	q.mu.Lock()
	empty := q.empty
	q.mu.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// callTime bounds one call to the server.
const callTime = 30 * time.Second

func withTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}
