package tunnel

import (
	"sync"
	"time"
)

// A deadline is one of the two of a net.Conn. The zero value never passes.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	past  chan struct{} // closed when it passed; nil without a deadline
}

// set replaces the deadline; the zero time takes it away. Those who wait on
// the former channel must be woken by the caller. passed is called once when
// the deadline passes.
func (d *deadline) set(t time.Time, passed func()) {
	left := time.Until(t)
	past := make(chan struct{})
	end := func() {
		close(past)
		passed()
	}
	d.mu.Lock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	switch d.past = past; {
	case t.IsZero():
		d.past = nil
	case left > 0:
		d.timer = time.AfterFunc(left, end)
	}
	d.mu.Unlock()
	if left <= 0 && !t.IsZero() {
		end()
	}
}

// wait is closed when the deadline as it is now passed.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.past
}

func (d *deadline) over() bool {
	select {
	case <-d.wait():
		return true
	default:
		return false
	}
}
