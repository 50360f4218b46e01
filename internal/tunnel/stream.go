package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// linger is how long a closed stream waits for the other side's end before it
// gives its carrier up.
const linger = 5 * time.Second

// Stream is one byte stream: a net.Conn whose directions end separately. Its
// methods may be called at the same time from several goroutines.
//
// One goroutine, which ends with the carrier, takes frames off the carrier at
// all times, so that no side ever waits for another's reader with its own
// acknowledgements unsent. Everything else happens in the callers'.
type Stream struct {
	carrier io.ReadWriteCloser
	done    chan struct{}

	reading sync.Mutex // one Read at a time
	writing sync.Mutex // one Write at a time: its bytes stay together
	sending sync.Mutex // one frame at a time; its holder sends control frames that came up meanwhile

	readable, writable chan struct{} // wake the one who waits; of capacity 1
	readUntil          deadline
	writeUntil         deadline

	mu        sync.Mutex
	in        buffer
	received  int64 // bytes off the carrier
	consumed  int64 // of these, bytes that the reader has
	ackedThem int64 // consumed, as we last told
	sent      int64 // bytes given to the carrier
	ackedUs   int64 // of these, bytes that the other reader has
	inFlight  bool  // a data frame is being given to the carrier

	ackWanted, finWanted, resetWanted bool
	finSent, resetSent                bool
	reason                            string // of our reset

	gotFin    bool
	gotReset  *ResetError
	closed    bool  // by us
	ended     bool  // nothing more comes from the carrier
	finishing bool  // both sides are done; the carrier is being closed
	err       error // why the carrier is of no more use
	lingering *time.Timer
}

// ResetError says that the other side ended the stream in both directions.
type ResetError struct{ Reason string }

func (e *ResetError) Error() string {
	if e.Reason == "" {
		return "the other side closed the stream"
	}
	return "the other side closed the stream: " + e.Reason
}

// ErrLost is in the chain of errors about streams that ended with their
// carrier: bytes may be missing.
var ErrLost = errors.New("connection lost")

// An aborter is a carrier that can be given up at once, where Close would wait
// for the other side.
type aborter interface{ Abort() }

// New makes the stream that speaks frames over carrier, an ordered channel of
// bytes, and owns carrier. Carrier's Close must end a Read that waits; Abort,
// where it has one, also a Write.
func New(carrier io.ReadWriteCloser) *Stream {
	s := &Stream{
		carrier:  carrier,
		done:     make(chan struct{}),
		readable: make(chan struct{}, 1),
		writable: make(chan struct{}, 1),
	}
	go s.receive()
	return s
}

// Done is closed when the carrier is finished with. After Close, a process
// about to exit waits for it (at most linger) to be sure of its last bytes.
func (s *Stream) Done() <-chan struct{} { return s.done }

// CloseWrite ends our direction: the other side reads io.EOF behind the bytes
// written so far. Reading goes on.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.finWanted = true
	s.mu.Unlock()
	wake(s.writable)
	s.sendControl()
	return nil
}

// Close ends both directions. The other side reads what was written before;
// what it writes is discarded, and it is told so. Close does not wait for it.
func (s *Stream) Close() error {
	s.close("")
	return nil
}

// Reset is Close with a reason for the other side, which also sees it in place
// of io.EOF. At most 256 bytes of reason are sent.
func (s *Stream) Reset(reason string) {
	s.close(reason[:min(len(reason), maxReason)])
}

func (s *Stream) close(reason string) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.finWanted = s.finWanted || reason == ""
	s.resetWanted = s.resetWanted || reason != "" || !s.gotFin && s.gotReset == nil
	s.reason = reason
	s.consumed += int64(s.in.clear())
	if !s.ended {
		s.lingering = time.AfterFunc(linger, func() { s.fail(net.ErrClosed) })
	}
	s.mu.Unlock()
	wake(s.readable)
	wake(s.writable)
	s.sendControl()
}

// fail gives the carrier up because of err.
func (s *Stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.abort()
	wake(s.readable)
	wake(s.writable)
}

func (s *Stream) abort() {
	if a, ok := s.carrier.(aborter); ok {
		a.Abort()
		return
	}
	s.carrier.Close()
}

// finish closes the carrier once both directions have ended and nobody here
// needs it.
func (s *Stream) finish() {
	s.mu.Lock()
	ready := s.closed && (s.finSent || s.resetSent) && !s.resetPending() && (s.gotFin || s.gotReset != nil) && !s.finishing
	s.finishing = s.finishing || ready
	s.mu.Unlock()
	if ready {
		// Closing may wait for the other side, and we may be its reader.
		go s.carrier.Close()
	}
}

func (s *Stream) resetPending() bool { return s.resetWanted && !s.resetSent }

// lost is the error for readers and writers after the carrier ended with err.
func lost(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

func (s *Stream) SetDeadline(t time.Time) error {
	s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

func (s *Stream) SetReadDeadline(t time.Time) error {
	s.readUntil.set(t, func() {})
	wake(s.readable)
	return nil
}

// SetWriteDeadline sets when Write stops waiting for room. A frame that the
// carrier does not take until then ends the stream: half a frame cannot be
// taken back.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.writeUntil.set(t, func() {
		s.mu.Lock()
		stuck := s.inFlight
		s.mu.Unlock()
		if stuck {
			s.fail(os.ErrDeadlineExceeded)
		}
	})
	wake(s.writable)
	return nil
}

func (s *Stream) LocalAddr() net.Addr  { return addr(s.carrier, net.Conn.LocalAddr) }
func (s *Stream) RemoteAddr() net.Addr { return addr(s.carrier, net.Conn.RemoteAddr) }

func addr(carrier any, of func(net.Conn) net.Addr) net.Addr {
	if c, ok := carrier.(net.Conn); ok {
		return of(c)
	}
	return noAddr{}
}

// noAddr stands for addresses that a carrier does not know.
type noAddr struct{}

func (noAddr) Network() string { return "tunnel" }
func (noAddr) String() string  { return "tunnel" }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
