package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

// stateQueue tells the server every state of the lifecycle. There are few
// states, so it needs no bound.
type stateQueue struct {
	*retry.Outbox
	boot   int64 // set before the first state
	states []api.AgentState
}

func newStateQueue(log *slog.Logger, send func(context.Context, api.AgentState) error) *stateQueue {
	q := &stateQueue{}
	q.Outbox = retry.NewOutbox(log, "the agent's state", func() retry.Report {
		next := q.states[q.Told()]
		return retry.Report{UpTo: q.Told() + 1, Send: func(ctx context.Context) error { return send(ctx, next) }}
	})
	return q
}

// set reports that the agent entered state now.
func (q *stateQueue) set(state berth.AgentLifecycle) {
	q.Log.Info("agent is "+string(state), "lifecycle", state)
	q.Lock()
	defer q.Unlock()
	q.states = append(q.states, api.AgentState{Boot: q.boot, Lifecycle: string(state), At: time.Now().UTC()})
	q.Note()
}
