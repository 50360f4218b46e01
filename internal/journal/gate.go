package journal

import (
	"context"
	"errors"
	"sync"
)

// gate holds changes back until the plan is judged.
type gate struct {
	mu    sync.Mutex
	ready chan struct{} // closed: it was decided
	open  bool
	why   string // it stays shut
}

func newGate() *gate { return &gate{ready: make(chan struct{})} }

// decide lets everything through, or nothing ever. What was decided first stays.
func (g *gate) decide(open bool, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.ready:
	default:
		g.open, g.why = open, why
		close(g.ready)
	}
}

// errDenied is what a change fails with that may not be made.
var errDenied = errors.New("denied")

// pass waits for the decision. The error says that there is none, or which.
func (g *gate) pass(ctx context.Context) error {
	select {
	case <-g.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return errDenied
	}
	return nil
}

func (g *gate) reason() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why
}
