package shell

import (
	"io"
	"sync"
	"time"
)

// HalfSequence is how long an announcement waits for the end of a sequence that
// a program has half written.
const HalfSequence = 250 * time.Millisecond

// view is what the person of a session with a terminal sees: the output of its
// program, and announcements.
type view struct {
	to      io.Writer
	columns func() int
	shown   func() // after an announcement among the lines of the program

	writing sync.Mutex // held while to may keep the writer waiting
	follow  Screen     // may be nil; under writing

	mu    sync.Mutex
	lines Announcements
}

// Write takes output of the program.
func (v *view) Write(data []byte) (int, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	n, err := v.to.Write(data)
	if v.follow != nil {
		v.follow.Write(data[:n])
	}
	if err == nil {
		v.flush(false)
	}
	return n, err
}

// announce shows a line as soon as it may. It does not wait for that.
func (v *view) announce(line string) {
	v.mu.Lock()
	v.lines.Announce(line)
	v.mu.Unlock()
	go func() {
		v.writing.Lock()
		v.flush(false)
		v.writing.Unlock()
		if v.waiting() {
			time.AfterFunc(HalfSequence, func() {
				v.writing.Lock()
				defer v.writing.Unlock()
				v.flush(true)
			})
		}
	}()
}

func (v *view) waiting() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lines.Waiting()
}

// flush writes what is due. The caller holds writing.
func (v *view) flush(force bool) {
	v.mu.Lock()
	data := v.lines.Take(v.follow, v.columns(), force)
	v.mu.Unlock()
	if data == nil {
		return
	}
	if _, err := v.to.Write(data); err != nil {
		return
	}
	if v.follow != nil {
		v.follow.Write(data)
		if v.follow.Full() {
			return
		}
	}
	v.shown()
}

// Announce shows a line in every session that has a terminal: between the lines
// of its program, and never in its input. Sessions without one carry the data of
// programs, and see nothing. It does not wait, and tells how many terminals
// there are.
func (s *Server) Announce(line string) (terminals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.mu.Lock()
		for session := range c.sessions {
			session.mu.Lock()
			if v := session.view; v != nil {
				v.announce(line)
				terminals++
			}
			session.mu.Unlock()
		}
		c.mu.Unlock()
	}
	return terminals
}
