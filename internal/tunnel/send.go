package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
)

// Write waits for room in the window and gives p to the carrier. When it
// returns, p is on its way.
func (s *Stream) Write(p []byte) (n int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for n < len(p) {
		room, err := s.awaitRoom()
		if err != nil {
			return n, err
		}
		c := chunks.Get().(chunk)
		m := copy(c[headerSize:], p[n:min(len(p), n+room)])
		err = s.sendData(c, m)
		chunks.Put(c)
		if err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

// ReadFrom copies everything of r, up to its end, without a copy in between.
func (s *Stream) ReadFrom(r io.Reader) (total int64, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for {
		room, err := s.awaitRoom()
		if err != nil {
			return total, err
		}
		c := chunks.Get().(chunk)
		n, rerr := r.Read(c[headerSize : headerSize+room])
		if n > 0 {
			err = s.sendData(c, n)
		}
		chunks.Put(c)
		switch {
		case err != nil:
			return total, err
		case rerr == io.EOF:
			return total + int64(n), nil
		case rerr != nil:
			return total + int64(n), rerr
		}
		total += int64(n)
	}
}

// awaitRoom returns how many bytes the next data frame may have, or why there
// is no next one.
func (s *Stream) awaitRoom() (int, error) {
	for {
		s.mu.Lock()
		err := s.writeEnd()
		room := Window - (s.sent - s.ackedUs)
		s.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case s.writeUntil.over():
			return 0, os.ErrDeadlineExceeded
		case room > 0:
			return int(min(room, MaxPayload)), nil
		}
		select {
		case <-s.writable:
		case <-s.writeUntil.wait():
		}
	}
}

// writeEnd says why nothing more can be written, nil if it can. s.mu is held.
func (s *Stream) writeEnd() error {
	switch {
	case errors.Is(s.err, os.ErrDeadlineExceeded):
		return s.err
	case s.closed, s.finWanted:
		return net.ErrClosed
	case s.gotReset != nil:
		return s.gotReset
	default:
		return s.err
	}
}

// sendData gives the carrier the n bytes in c behind the room for a header.
func (s *Stream) sendData(c chunk, n int) error {
	s.sending.Lock()
	s.mu.Lock()
	err := s.writeEnd() // again: an end may have been sent since
	frame{typ: frameData, offset: s.sent, length: n}.put(c[:])
	if err == nil {
		s.sent += int64(n)
		s.inFlight = true
	}
	s.mu.Unlock()
	if err == nil {
		_, err = s.carrier.Write(c[:headerSize+n])
		s.mu.Lock()
		s.inFlight = false
		if err != nil && s.err != nil {
			err = s.err
		} else if err != nil {
			err = lost(err)
		}
		s.mu.Unlock()
		if err != nil {
			s.fail(err)
		}
	}
	s.sending.Unlock()
	s.sendControl()
	return err
}

// sendControl sends the control frames that are wanted. When another goroutine
// is sending, that one does it, since nobody may wait for the carrier to
// acknowledge what it reads.
func (s *Stream) sendControl() {
	for s.controlWanted() && s.sending.TryLock() {
		for {
			b := s.nextControl()
			if b == nil {
				break
			}
			if _, err := s.carrier.Write(b); err != nil {
				s.fail(lost(err))
			}
		}
		s.sending.Unlock()
	}
	s.finish()
}

func (s *Stream) controlWanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && (s.ackWanted || s.finWanted && !s.finSent && !s.resetSent || s.resetPending())
}

// nextControl takes the next wanted control frame, nil when there is none.
func (s *Stream) nextControl() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, headerSize, headerSize+len(s.reason))
	switch {
	case s.err != nil:
		return nil
	case s.ackWanted:
		s.ackWanted = false
		s.ackedThem = s.consumed
		frame{typ: frameAck, offset: s.consumed}.put(b)
	case s.finWanted && !s.finSent && !s.resetSent:
		s.finSent = true
		frame{typ: frameFin, offset: s.sent}.put(b)
	case s.resetPending():
		s.resetSent = true
		frame{typ: frameReset, length: len(s.reason)}.put(b)
		b = append(b, s.reason...)
	default:
		return nil
	}
	return b
}
