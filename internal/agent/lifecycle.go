package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// stateQueue tells the server every state of the lifecycle. There are few
// states, so it needs no bound.
type stateQueue struct {
	*outbox
	boot   int64 // set before the first state
	states []api.AgentState
}

func newStateQueue(log *slog.Logger, send func(context.Context, api.AgentState) error) *stateQueue {
	q := &stateQueue{}
	q.outbox = newOutbox(log, "the agent's state", func() report {
		next := q.states[q.told]
		return report{q.told + 1, func(ctx context.Context) error { return send(ctx, next) }}
	})
	return q
}

// set reports that the agent entered state now.
func (q *stateQueue) set(state berth.AgentLifecycle) {
	q.log.Info("agent is "+string(state), "lifecycle", state)
	q.Lock()
	defer q.Unlock()
	q.states = append(q.states, api.AgentState{Boot: q.boot, Lifecycle: string(state), At: time.Now().UTC()})
	q.note()
}
