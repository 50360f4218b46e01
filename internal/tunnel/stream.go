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
//
// A stream that resumes outlives its carriers: without one it is suspended,
// takes what fits the window, and goes on over the next, see attach.
type Stream struct {
	done chan struct{}

	resumes bool            // a lost carrier is not the end; never changes
	redial  func(err error) // called where a carrier was lost; nil where others bring the next
	keep    time.Duration   // how long it may be suspended; 0: redial knows
	linger  time.Duration   // how long it waits for the other side's end once it is closed

	reading sync.Mutex // one Read at a time
	writing sync.Mutex // one Write at a time: its bytes stay together
	sending sync.Mutex // one frame at a time; its holder sends control frames that came up meanwhile

	readable, writable chan struct{} // wake the one who waits; of capacity 1
	readUntil          deadline
	writeUntil         deadline

	mu        sync.Mutex
	carrier   *carrier // nil: suspended
	addresses any      // the last carrier, for its addresses
	number    int      // of the newest carrier, or the one to come
	suspended time.Time
	expiry    *time.Timer
	in        buffer
	received  int64 // bytes off the carriers
	consumed  int64 // of these, bytes that the reader has
	ackedThem int64 // consumed, as we last told
	sent      int64 // bytes given to the carrier, or kept for the next
	ackedUs   int64 // of these, bytes that the other reader has
	inFlight  bool  // a data frame is being given to the carrier
	unacked   replay

	ackWanted, finWanted, resetWanted, seenWanted bool
	finSent, resetSent                            bool // on this carrier, or seen
	finTold, resetTold                            bool // on any
	endSeen                                       int64
	reason                                        string // of our reset

	gotFin    bool
	gotReset  *ResetError
	closed    bool  // by us
	doomed    bool  // the next lost carrier is the end after all
	ended     bool  // nothing more comes
	finishing bool  // both sides are done; the carrier is being closed
	err       error // why no carrier is of any more use
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

// New makes the stream that speaks frames over carrier, an ordered channel of
// bytes, and owns carrier. Carrier's Close must end a Read that waits; Abort,
// where it has one, also a Write. The stream ends with its carrier.
func New(carrier io.ReadWriteCloser) *Stream {
	s := newStream()
	s.attach(carrier, 0, 0) // of a fresh stream: it works
	return s
}

func newStream() *Stream {
	return &Stream{
		linger:   linger,
		done:     make(chan struct{}),
		readable: make(chan struct{}, 1),
		writable: make(chan struct{}, 1),
	}
}

// Done is closed when the stream is finished with. After Close, a process
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
		s.lingering = time.AfterFunc(s.linger, func() { s.fail(net.ErrClosed) })
	}
	s.mu.Unlock()
	wake(s.readable)
	wake(s.writable)
	s.sendControl()
}

// finished tells whether both directions have ended and nobody here needs the
// carrier. s.mu is held.
func (s *Stream) finished() bool {
	return s.closed && s.whole() && !s.resetPending() && !s.seenWanted && !s.finishing
}

// finish closes the carrier of a finished stream. s.sending is held: what was
// taken to be sent is sent.
func (s *Stream) finish() {
	s.mu.Lock()
	c, ready := s.carrier, s.carrier != nil && s.finished()
	s.finishing = s.finishing || ready
	s.mu.Unlock()
	if ready {
		// Closing may wait for the other side, and we may be its reader.
		go c.Close()
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
// carrier does not take until then ends the stream, or takes the carrier from
// one that resumes: half a frame cannot be taken back.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.writeUntil.set(t, func() {
		s.mu.Lock()
		stuck, c := s.inFlight, s.carrier
		s.mu.Unlock()
		if stuck && c != nil {
			s.failed(c, os.ErrDeadlineExceeded)
		}
	})
	wake(s.writable)
	return nil
}

func (s *Stream) LocalAddr() net.Addr  { return s.addr(net.Conn.LocalAddr) }
func (s *Stream) RemoteAddr() net.Addr { return s.addr(net.Conn.RemoteAddr) }

func (s *Stream) addr(of func(net.Conn) net.Addr) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.addresses.(net.Conn); ok {
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
