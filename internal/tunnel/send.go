package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
)

// Write waits for room in the window and gives p to the carrier. When it
// returns, p is on its way, or kept for the next carrier.
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
		if err := s.sendData(c, m); err != nil {
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
		} else {
			chunks.Put(c)
		}
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

// sendData gives the carrier the n bytes in c behind the room for a header, and
// takes c.
func (s *Stream) sendData(c chunk, n int) error {
	s.sending.Lock()
	s.mu.Lock()
	if err := s.writeEnd(); err != nil { // again: an end may have been sent since
		s.mu.Unlock()
		s.sending.Unlock()
		chunks.Put(c)
		s.sendControl()
		return err
	}
	frame{typ: frameData, offset: s.sent, length: n}.put(c[:])
	s.sent += int64(n)
	kept := s.resumes && s.unacked.add(c, n)
	to := s.carrier
	s.inFlight = to != nil
	if kept {
		s.unacked.lend(c)
	}
	s.ackWanted = s.ackWanted || s.consumed-s.ackedThem >= ackBeside
	s.mu.Unlock()
	var err error
	if to != nil {
		_, err = to.Write(c[:headerSize+n])
	}
	s.mu.Lock()
	s.inFlight = false
	if kept {
		s.unacked.giveBack()
	}
	given := s.err
	s.mu.Unlock()
	if err != nil {
		s.failed(to, lost(err))
	}
	s.sending.Unlock()
	if !kept {
		chunks.Put(c)
	}
	s.sendControl()
	switch {
	case err == nil || s.resumes && given == nil:
		return nil
	case given != nil:
		return given
	default:
		return lost(err)
	}
}

// sendControl sends the control frames that are wanted, and closes the carrier
// behind the last. When another goroutine is sending, that one does it, since
// nobody may wait for the carrier to acknowledge what it reads.
func (s *Stream) sendControl() {
	for s.controlWanted() && s.sending.TryLock() {
		for {
			c, b := s.nextControl()
			if b == nil {
				break
			}
			if _, err := c.Write(b); err != nil {
				s.failed(c, lost(err))
			}
		}
		s.finish()
		s.sending.Unlock()
	}
}

func (s *Stream) controlWanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && s.carrier != nil && (s.ackWanted || s.finPending() || s.resetPending() || s.seenWanted || s.finished())
}

func (s *Stream) finPending() bool { return s.finWanted && !s.finSent && !s.resetSent }

// nextControl takes the next wanted control frame, nil when there is none.
func (s *Stream) nextControl() (*carrier, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.carrier == nil {
		return nil, nil
	}
	b := make([]byte, headerSize, headerSize+len(s.reason))
	switch {
	case s.ackWanted:
		s.ackWanted = false
		s.ackedThem = s.consumed
		frame{typ: frameAck, offset: s.consumed}.put(b)
	case s.finPending():
		s.finSent, s.finTold = true, true
		frame{typ: frameFin, offset: s.sent}.put(b)
	case s.resetPending():
		s.resetSent, s.resetTold = true, true
		frame{typ: frameReset, length: len(s.reason)}.put(b)
		b = append(b, s.reason...)
	case s.seenWanted:
		s.seenWanted = false
		frame{typ: frameSeen, offset: s.theirEnd()}.put(b)
	default:
		return nil, nil
	}
	return s.carrier, b
}

// theirEnd is what frameSeen says of the other direction. s.mu is held.
func (s *Stream) theirEnd() (seen int64) {
	if s.gotFin {
		seen |= seenFin
	}
	if s.gotReset != nil {
		seen |= seenReset
	}
	return seen
}
