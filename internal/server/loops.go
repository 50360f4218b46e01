package server

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/loop"
	"github.com/berthdev/berth/internal/store"
)

// sweepAtOnce bounds one transaction of cleaning up.
const sweepAtOnce = 500

// allLoops is everything that the server does by itself.
func (p *parts) allLoops() []*loop.Loop {
	replica := string(berth.NewID[struct{}]())
	return []*loop.Loop{
		{Name: "replica", Every: beat, Run: func(ctx context.Context) (loop.Status, error) {
			// Tells that this server is up, and keeps time without any from
			// counting against the leases of runners.
			did, err := p.queue.Downtime(ctx, replica)
			return loop.Status{Did: did}, err
		}},
		{Name: "expired tokens", Every: 10 * time.Minute, Run: p.sweepTokens},
	}
}

// sweepTokens removes tokens that ended a day ago: until then their people are
// told that they ended.
func (p *parts) sweepTokens(ctx context.Context) (loop.Status, error) {
	var total int64
	for {
		var n int64
		err := p.db.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeleteExpired(tx.Now.Add(-24*time.Hour), sweepAtOnce)
			return err
		})
		if err != nil {
			return loop.Status{}, err
		}
		total += n
		if n < sweepAtOnce {
			break
		}
	}
	if total == 0 {
		return loop.Status{}, nil
	}
	return loop.Status{Did: fmt.Sprintf("removed %d expired tokens", total)}, nil
}
