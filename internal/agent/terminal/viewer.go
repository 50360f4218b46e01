package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// maxQueue is what a viewer that does not take its output costs, in bytes.
	maxQueue = 1 << 20
	// patience is how long a terminal waits for its active viewer to take
	// output, so that the end of a long listing is not all that it sees.
	patience = 200 * time.Millisecond
	// glance is how often one who types looks whether the viewer has left.
	glance = 250 * time.Millisecond
)

// Size is a terminal's, in characters.
type Size struct{ Columns, Rows int }

// Event is something for a viewer to know: one of its fields is set.
type Event struct {
	Output []byte
	Size   *Size // that the terminal has now, whatever the viewer's window
	End    *End  // the program ended; nothing follows
}

// End is how a terminal's program ended.
type End struct {
	Code   int
	Signal string // that ended it; empty: it exited
}

// Viewer is one attached connection. Its methods may be called at the same
// time from several goroutines.
type Viewer struct {
	of *terminal

	wake chan struct{} // of capacity 1: there may be something to take
	room chan struct{} // of capacity 1: something was taken
	gone chan struct{} // closed by Close

	// The rest is guarded by of.mu.
	size   Size
	queue  []Event
	queued int
	behind bool // too much was queued: the next thing to take is a replay
	closed bool
}

// push queues an event, or gives up on the queue when it is full.
func (v *Viewer) push(e Event) {
	if v.behind && e.Output != nil {
		return
	}
	if v.queued+len(e.Output) > maxQueue {
		v.queue, v.queued, v.behind = nil, 0, true
	} else if last := len(v.queue) - 1; e.Output != nil && last >= 0 && len(v.queue[last].Output) > 0 && len(v.queue[last].Output) < 32<<10 {
		v.queue[last].Output = append(v.queue[last].Output, e.Output...)
		v.queued += len(e.Output)
	} else {
		e.Output = append([]byte(nil), e.Output...)
		v.queue = append(v.queue, e)
		v.queued += len(e.Output)
	}
	signal(v.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Next waits for the next event. After one with End, and after Close, it gives
// io.EOF.
func (v *Viewer) Next(ctx context.Context) (Event, error) {
	for {
		v.of.mu.Lock()
		if v.closed {
			v.of.mu.Unlock()
			return Event{}, io.EOF
		}
		if v.behind {
			v.of.catchUp(v)
		}
		if len(v.queue) > 0 {
			e := v.queue[0]
			v.queue = v.queue[1:]
			v.queued -= len(e.Output)
			v.of.mu.Unlock()
			signal(v.room)
			if e.End != nil {
				v.Close()
			}
			return e, nil
		}
		v.of.mu.Unlock()
		select {
		case <-v.wake:
		case <-v.gone:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// Type gives the program what a person typed, and makes this the active
// viewer. It waits while the program does not read.
func (v *Viewer) Type(data []byte) error {
	t := v.of
	t.mu.Lock()
	if v.closed || t.end != nil {
		t.mu.Unlock()
		return io.ErrClosedPipe
	}
	t.activate(v)
	t.mu.Unlock()
	t.options.Typed(len(data))
	t.typing.Lock()
	defer t.typing.Unlock()
	for len(data) > 0 {
		t.master.SetWriteDeadline(time.Now().Add(glance))
		n, err := t.master.Write(data)
		data = data[n:]
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return io.ErrClosedPipe
		}
		select {
		case <-v.gone:
			return io.ErrClosedPipe
		default:
		}
	}
	return nil
}

// Resize says what size the viewer's window has. The terminal takes it when
// the viewer is the active one, or when it next types.
func (v *Viewer) Resize(s Size) {
	t := v.of
	t.mu.Lock()
	defer t.mu.Unlock()
	v.size = s.within()
	if t.wanted == v {
		t.resize(v.size)
	}
}

// within keeps a size within what a terminal can have.
func (s Size) within() Size {
	if s.Columns < 2 || s.Rows < 1 {
		return Size{80, 24}
	}
	return Size{min(s.Columns, 2000), min(s.Rows, 1000)}
}

// Close leaves the terminal, which goes on.
func (v *Viewer) Close() {
	t := v.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if v.closed {
		return
	}
	v.closed, v.queue = true, nil
	close(v.gone)
	t.leave(v)
}
