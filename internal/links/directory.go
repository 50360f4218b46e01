package links

import (
	"context"
	"sync"

	"github.com/berthdev/berth"
)

// Directory says which relay holds an agent's link. One that several relays
// share lives outside of them.
type Directory interface {
	// Linked says that relay now holds the agent's link, Unlinked that it does
	// not any more, which changes nothing if another one does by now.
	Linked(ctx context.Context, agent berth.AgentID, relay string) error
	Unlinked(ctx context.Context, agent berth.AgentID, relay string) error
	// Where is the relay that holds the agent's link; ok is false when none does.
	Where(ctx context.Context, agent berth.AgentID) (relay string, ok bool, err error)
}

// Memory is a Directory for the relays of one process.
type Memory struct {
	mu    sync.Mutex
	where map[berth.AgentID]string
}

func NewMemory() *Memory { return &Memory{where: map[berth.AgentID]string{}} }

func (m *Memory) Linked(_ context.Context, agent berth.AgentID, relay string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.where[agent] = relay
	return nil
}

func (m *Memory) Unlinked(_ context.Context, agent berth.AgentID, relay string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.where[agent] == relay {
		delete(m.where, agent)
	}
	return nil
}

func (m *Memory) Where(_ context.Context, agent berth.AgentID) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	relay, ok := m.where[agent]
	return relay, ok, nil
}
