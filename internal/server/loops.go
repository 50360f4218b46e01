package server

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth/internal/loop"
)

// allLoops is everything that a server does by itself.
func (p *parts) allLoops() []*loop.Loop {
	return []*loop.Loop{
		// Tells that this replica is up, and keeps time in which no server was
		// from counting against the leases of runners.
		{Name: "replica", Every: beat, Run: func(ctx context.Context) (loop.Status, error) {
			did, err := p.queue.Downtime(ctx, p.replica)
			return loop.Status{Did: did}, err
		}},
		{Name: "expired tokens", Every: 10 * time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.accounts.CleanTokens(ctx)
			return counted(n, "removed %d expired tokens"), err
		}},
	}
}

// counted says what was done to n things; nothing for none.
func counted(n int64, did string) loop.Status {
	if n == 0 {
		return loop.Status{}
	}
	return loop.Status{Did: fmt.Sprintf(did, n)}
}
