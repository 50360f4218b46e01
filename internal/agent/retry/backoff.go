package retry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/berthdev/berth"
)

const (
	shortestWait = 100 * time.Millisecond
	longestWait  = 5 * time.Second
	// A server that answers but refuses is asked more seldom, though not at
	// once: it learns the token of an agent only when the build that made the
	// agent has ended, and the agent is often there before.
	refusedWait  = time.Second
	refusedSlow  = 15 * time.Second
	refusedAfter = 5 * time.Minute
	// A trouble that stays the same is logged again after this time.
	repeatAfter = 5 * time.Minute
)

// Backoff spaces the tries of one thing, and logs why they failed without
// flooding the log.
type Backoff struct {
	What string // is tried, as the log calls it
	Log  *slog.Logger

	wait    time.Duration // of the last try; 0: the first is to come
	refused time.Time     // since when the server refuses
	said    string
	saidAt  time.Time
}

// Failed notes a failed try and waits before the next; false when ctx ended.
func (b *Backoff) Failed(ctx context.Context, err error) bool {
	now := time.Now()
	if text := err.Error(); text != b.said || now.Sub(b.saidAt) > repeatAfter {
		b.Log.Warn(b.What+" did not work; trying on", "error", err)
		b.said, b.saidAt = text, now
	}
	return Pause(ctx, b.Next(now, isRefusal(err)))
}

// Next is how long to wait: doubled each time, half of it by chance.
func (b *Backoff) Next(now time.Time, refused bool) time.Duration {
	longest := longestWait
	switch {
	case !refused:
		b.refused = time.Time{}
	case b.refused.IsZero():
		b.refused, longest = now, refusedWait
	case now.Sub(b.refused) < refusedAfter:
		longest = refusedWait
	default:
		longest = refusedSlow
	}
	b.wait = min(max(2*b.wait, shortestWait), longest)
	return b.wait/2 + rand.N(b.wait/2)
}

// Worked forgets past failures.
func (b *Backoff) Worked() {
	if b.said != "" {
		b.Log.Info(b.What + " works again")
	}
	*b = Backoff{What: b.What, Log: b.Log}
}

// isRefusal tells whether err is an answer that trying again will not soon change.
func isRefusal(err error) bool {
	switch berth.ErrorCode(err) {
	case berth.Unauthenticated, berth.Forbidden, berth.NotFound, berth.Conflict, berth.Invalid:
		var e *berth.Error
		return errors.As(err, &e)
	}
	return false
}

// Pause waits for d; false when ctx ended before.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
