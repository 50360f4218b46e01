package terminal

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"time"
)

// Max is how many terminals there are at a time.
const Max = 50

// Options say how terminals run. Start is required.
type Options struct {
	// Start makes the process of a terminal, not started and without standard
	// streams: a login shell, or what command says. greeting is shown first.
	Start func(command string) (cmd *exec.Cmd, greeting string, err error)
	// Typed and Shown hear of bytes that went from and to people; nil: nobody.
	// They are called from many goroutines at once and must not block.
	Typed, Shown func(n int)
	// Idle is how long a terminal stays without a viewer (0: 5 minutes) and
	// Again how often it is looked at after that (0: 1 minute).
	Idle, Again time.Duration
	Log         *slog.Logger // nil: slog's default
}

// Terminals are all terminals of a workspace. Make them with New.
type Terminals struct {
	options Options

	mu      sync.Mutex
	closed  bool
	all     map[string]*terminal
	running sync.WaitGroup
}

// New makes a set without terminals.
func New(o Options) *Terminals {
	if o.Typed == nil {
		o.Typed = func(int) {}
	}
	if o.Shown == nil {
		o.Shown = func(int) {}
	}
	if o.Idle == 0 {
		o.Idle = 5 * time.Minute
	}
	if o.Again == 0 {
		o.Again = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Terminals{options: o, all: map[string]*terminal{}}
}

// ErrTooMany says that there are Max terminals, all in use.
var ErrTooMany = fmt.Errorf("this workspace has %d terminals already, all in use: close some of them", Max)

// ErrClosed says that the workspace stops.
var ErrClosed = errors.New("the workspace stops")

// Attach makes a viewer of the terminal id, and the terminal where there is
// none of that id: then it runs command, or a login shell when that is empty.
func (s *Terminals) Attach(id, command string, size Size) (*Viewer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if t := s.all[id]; t != nil {
		return t.attach(size), nil
	}
	if len(s.all) >= Max && !s.makeRoom() {
		return nil, ErrTooMany
	}
	t, err := start(s.options, command, size)
	if err != nil {
		return nil, fmt.Errorf("the terminal could not start: %w", err)
	}
	s.all[id] = t
	t.ended = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.all[id] == t {
			delete(s.all, id)
		}
	}
	v := t.attach(size)
	s.running.Go(t.run)
	return v, nil
}

// makeRoom ends the terminal that was left longest ago, of those in which
// nothing runs.
func (s *Terminals) makeRoom() bool {
	var oldest *terminal
	var where string
	for id, t := range s.all {
		t.mu.Lock()
		free := len(t.viewers) == 0 && (t.end != nil || !t.busyNow())
		if free && (oldest == nil || t.empty.Before(oldest.empty)) {
			oldest, where = t, id
		}
		t.mu.Unlock()
	}
	if oldest == nil {
		return false
	}
	delete(s.all, where)
	go oldest.hangUp()
	return true
}

// Count is how many terminals there are.
func (s *Terminals) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// Close hangs every terminal up and returns when their programs have ended.
func (s *Terminals) Close() {
	s.mu.Lock()
	s.closed = true
	for _, t := range s.all {
		go t.hangUp()
	}
	s.mu.Unlock()
	s.running.Wait()
}
