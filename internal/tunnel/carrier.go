package tunnel

import (
	"errors"
	"io"
	"net"
	"time"
)

// carrier is what carries a stream's frames for a while: an ordered channel of
// bytes to the other side.
type carrier struct {
	io.ReadWriteCloser
	gone chan struct{} // closed when nobody reads it any more
}

// An aborter is a carrier that can be given up at once, where Close would wait
// for the other side.
type aborter interface{ Abort() }

func (c *carrier) abort() {
	if a, ok := c.ReadWriteCloser.(aborter); ok {
		a.Abort()
		return
	}
	c.ReadWriteCloser.Close()
}

// Errors of resuming.
var (
	errOver  = errors.New("the stream has ended")
	errStale = errors.New("a newer connection carries this stream")
	errRange = errors.New("the other side has other bytes than were sent to it")
)

// attach goes on over rw, which the stream then owns. number is what release
// was given for it; the other side has our bytes up to from. On an error the
// caller keeps rw.
func (s *Stream) attach(rw io.ReadWriteCloser, number int, from int64) (*carrier, error) {
	c := &carrier{rw, make(chan struct{})}
	s.sending.Lock()
	s.mu.Lock()
	if err := s.mayAttach(number, from); err != nil {
		s.mu.Unlock()
		s.sending.Unlock()
		return nil, err
	}
	s.carrier, s.addresses = c, rw
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.unacked.drop(from)
	// What was on its way is told again; the other side knows it by its offset.
	s.ackWanted = s.consumed > 0
	s.finSent = s.finSent && s.endSeen&seenFin != 0
	s.resetSent = s.resetSent && s.endSeen&seenReset != 0
	s.seenWanted = s.resumes && (s.gotFin || s.gotReset != nil)
	behind := from < s.sent
	s.inFlight = behind
	s.mu.Unlock()
	go s.receive(c)
	if behind {
		s.resend(c, from)
	}
	s.sending.Unlock()
	wake(s.writable)
	s.sendControl()
	return c, nil
}

// mayAttach is called with s.mu held.
func (s *Stream) mayAttach(number int, from int64) error {
	switch {
	case s.ended || s.doomed || s.err != nil:
		return errOver
	case number != s.number || s.carrier != nil:
		return errStale
	case from < s.unacked.base || from > s.sent:
		return errRange
	}
	return nil
}

// resend gives c all that was sent from an offset on. s.sending is held.
func (s *Stream) resend(c *carrier, from int64) {
	buf := chunks.Get().(chunk)
	defer chunks.Put(buf)
	for {
		s.mu.Lock()
		n, at := s.unacked.copy(buf[headerSize:], from)
		s.inFlight = n > 0
		s.mu.Unlock()
		if n == 0 {
			return
		}
		frame{typ: frameData, offset: at, length: n}.put(buf[:])
		if _, err := c.Write(buf[:headerSize+n]); err != nil {
			c.abort() // its reader tells
			break
		}
		from = at + int64(n)
	}
	s.mu.Lock()
	s.inFlight = false
	s.mu.Unlock()
}

// release takes the stream from its carrier in favour of a newer one, with a
// higher number, and says how many bytes have arrived. The other side claims to
// have ours up to from.
func (s *Stream) release(number int, from int64) (received int64, err error) {
	s.mu.Lock()
	c := s.carrier
	switch {
	case s.ended || s.doomed || s.err != nil:
		err = errOver
	case number <= s.number:
		err = errStale
	case from < s.unacked.base || from > s.sent:
		err = errRange
	default:
		s.number = number
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if c != nil {
		c.abort()
		<-c.gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received, nil
}

// parted is what c's reader does last: nothing more comes from c.
func (s *Stream) parted(c *carrier, err error) {
	s.mu.Lock()
	whole := s.whole()
	goesOn := s.resumes && !s.doomed && !whole && s.err == nil && !final(err)
	if goesOn {
		s.suspend()
	} else {
		s.over(lost(err))
	}
	s.mu.Unlock()
	if whole {
		c.Close()
	} else {
		c.abort() // a Write that waits, waits in vain
	}
	close(c.gone)
	wake(s.readable)
	wake(s.writable)
	switch {
	case !goesOn:
		close(s.done)
	case s.redial != nil:
		s.redial(err)
	}
}

// final tells whether a carrier ended for a reason that another one would not
// change.
func final(err error) bool {
	var bye *Goodbye
	var broken protocolError
	return errors.As(err, &bye) && !bye.Relink || errors.As(err, &broken)
}

// suspend leaves the stream without a carrier, for a while. s.mu is held.
func (s *Stream) suspend() {
	s.carrier = nil
	s.suspended = time.Now()
	if s.keep > 0 {
		s.expiry = time.AfterFunc(s.keep, s.expire)
	}
}

// expire ends a stream that nobody resumed.
func (s *Stream) expire() {
	s.mu.Lock()
	expired := s.carrier == nil && time.Since(s.suspended) >= s.keep
	s.mu.Unlock()
	if expired {
		s.fail(lost(errors.New("nobody resumed the stream")))
	}
}

// over says that nothing more comes, from any carrier. s.mu is held.
func (s *Stream) over(err error) {
	if s.err == nil {
		s.err = err
	}
	s.ended, s.carrier = true, nil
	if s.lingering != nil {
		s.lingering.Stop()
	}
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.unacked.drop(s.sent)
}

// fail gives the stream up because of err.
func (s *Stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	c, bare := s.carrier, s.carrier == nil && !s.ended
	if bare {
		s.over(err)
	}
	s.mu.Unlock()
	if c != nil {
		c.abort() // its reader does the rest
	}
	if bare {
		close(s.done)
	}
	wake(s.readable)
	wake(s.writable)
}

// failed is what becomes of the stream when a Write to c did not work.
func (s *Stream) failed(c *carrier, err error) {
	if s.resumes {
		c.abort() // its reader suspends the stream
		return
	}
	s.fail(err)
}

// whole tells whether both directions have ended and, where it matters, the
// other side has our end. Behind its reset it needs nothing more: either it
// wants none, or it answered ours. s.mu is held.
func (s *Stream) whole() bool {
	if !s.resumes {
		return (s.resetSent || s.finSent) && (s.gotFin || s.gotReset != nil)
	}
	return s.gotReset != nil || s.gotFin && (s.endSeen&seenReset != 0 || !s.resetWanted && s.endSeen&seenFin != 0)
}

// Err says why the stream came to an end that neither side meant; nil while it
// goes on and after a good end.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil || s.whole() || s.closed && s.gotFin || errors.Is(s.err, net.ErrClosed) {
		return nil
	}
	return s.err
}
