// Package loop runs named background loops: what a server does by itself.
//
// A loop takes no input. It is run once at the start, then by period and by
// wake; each time it reads the world anew, so a wake is a hint without data and
// a lost one costs a period, never correctness. A run
//
//   - is idempotent and may happen on every replica at once; guarded
//     transactions decide who wins;
//   - does not retry: the next run is the retry;
//   - lets one bad row not stop the others, and joins their errors;
//   - ends when its context does, which is at most a minute or its period.
//
// Two runs of one Loop never overlap in a process. A run that fails or panics
// changes its report and the log, and nothing else: the loop goes on.
//
// The package keeps nothing and knows no use case. internal/server lists all
// loops in one slice.
package loop

import (
	"context"
	"sync"
	"time"
)

// Loop is one background loop. Name, Every and Run are set before it is served
// and not changed after; a Loop must not be copied once used.
type Loop struct {
	Name  string
	Every time.Duration // mean period; each is up to a tenth longer or shorter
	Run   func(context.Context) (Status, error)

	once sync.Once
	wake chan struct{}

	mu     sync.Mutex
	report Report
}

// Status is what one run has to say.
type Status struct {
	Did string // a short sentence; empty when there was nothing to do
}

// Report is the state of a loop as people see it.
type Report struct {
	Name    string
	Every   time.Duration
	LastRun time.Time     // start of the last run that ended; zero before the first
	Took    time.Duration // by the last run
	Did     string        // by the last run that did something
	Error   string        // of the last run; empty if it succeeded
}

// Wake asks for a run soon. Wakes during a run become one more run behind it.
// It never blocks, may be called from anywhere, and before the loop is served.
func (l *Loop) Wake() {
	select {
	case l.wakes() <- struct{}{}:
	default: // one is already waiting, and a run re-reads everything
	}
}

// Report tells how the loop is doing.
func (l *Loop) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.report
	r.Name, r.Every = l.Name, l.Every
	return r
}

func (l *Loop) wakes() chan struct{} {
	l.once.Do(func() { l.wake = make(chan struct{}, 1) })
	return l.wake
}
