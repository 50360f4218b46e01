package runner

import (
	"sync"
	"time"
)

// budget is the time that a build may use. It stands still while the build
// waits for others, so that an hour without a server costs none of it.
type budget struct {
	mu    sync.Mutex
	left  time.Duration
	since time.Time // zero while it stands still
	timer *time.Timer
}

// newBudget starts at once and calls spent from its own goroutine.
func newBudget(d time.Duration, spent func()) *budget {
	return &budget{left: d, since: time.Now(), timer: time.AfterFunc(d, spent)}
}

func (b *budget) Pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() || !b.timer.Stop() {
		return
	}
	b.left -= time.Since(b.since)
	b.since = time.Time{}
}

func (b *budget) Resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.since.IsZero() {
		return
	}
	b.since = time.Now()
	b.timer.Reset(max(b.left, 0))
}

func (b *budget) Stop() { b.timer.Stop() }
