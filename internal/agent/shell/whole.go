package shell

import (
	"net"
	"sync"
	"time"
)

const (
	// fragment is the buffer of the SSH library's writer: a longer packet
	// leaves it as one full buffer, and then the rest.
	fragment = 4096
	// holdTime is for packets that fill the buffer to the byte, and have no rest.
	holdTime = 500 * time.Microsecond
)

// whole is a connection that puts packets together again, which the SSH
// library writes in two pieces. Where every write becomes a message, that
// saves half of them.
type whole struct {
	net.Conn

	mu     sync.Mutex
	buffer []byte // begins with the held fragment
	held   bool
	timer  *time.Timer
	err    error // of a write that nobody waited for
}

// Write holds a fragment back for the rest of its packet.
func (w *whole) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if !w.held {
		if len(p) != fragment {
			return w.Conn.Write(p)
		}
		w.buffer, w.held = append(w.buffer[:0], p...), true
		if w.timer == nil {
			w.timer = time.AfterFunc(holdTime, w.flush)
		} else {
			w.timer.Reset(holdTime)
		}
		return len(p), nil
	}
	w.held = false
	w.buffer = append(w.buffer, p...)
	if _, err := w.Conn.Write(w.buffer); err != nil {
		w.err = err
		return 0, err
	}
	return len(p), nil
}

// flush writes a fragment whose rest did not come.
func (w *whole) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held && w.err == nil {
		w.held = false
		_, w.err = w.Conn.Write(w.buffer)
	}
}
