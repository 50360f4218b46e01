package tunnel

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"unicode"
)

// Read reads bytes in the order in which they were written. It returns io.EOF
// after the other side's CloseWrite or Close, a *ResetError after its Reset,
// and an error with ErrLost when the carrier ended before either.
func (s *Stream) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if err := s.awaitBytes(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	n = s.in.take(p)
	s.consume(n)
	return n, nil
}

// WriteTo copies everything up to the end to w.
func (s *Stream) WriteTo(w io.Writer) (total int64, err error) {
	for {
		n, err := s.writePart(w)
		total += int64(n)
		if err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}

// writePart waits without a buffer of its own, since most streams are idle
// most of the time.
func (s *Stream) writePart(w io.Writer) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if err := s.awaitBytes(); err != nil {
		return 0, err
	}
	// A copy: the buffer's chunks go to other streams as soon as Close drops them.
	c := chunks.Get().(chunk)
	defer chunks.Put(c)
	s.mu.Lock()
	n := s.in.take(c[:])
	s.consume(n)
	return w.Write(c[:n])
}

// awaitBytes returns when there are bytes to take, or says why there will be
// none.
func (s *Stream) awaitBytes() error {
	for {
		s.mu.Lock()
		ready, err := len(s.in.front()) > 0, s.readEnd()
		s.mu.Unlock()
		switch {
		case err == net.ErrClosed:
			return err
		case s.readUntil.over():
			return os.ErrDeadlineExceeded
		case ready:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-s.readable:
		case <-s.readUntil.wait():
		}
	}
}

// readEnd says why no more bytes will come, nil if they may. s.mu is held.
func (s *Stream) readEnd() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.gotFin:
		return io.EOF
	case s.gotReset != nil:
		return s.gotReset
	default:
		return s.err
	}
}

// consume counts n bytes as read and unlocks s.mu, which is held.
func (s *Stream) consume(n int) {
	s.consumed += int64(n)
	behind := s.consumed - s.ackedThem
	s.ackWanted = s.ackWanted || behind >= ackEvery || s.gotFin && behind > 0 && s.consumed == s.received
	tell := s.ackWanted
	s.mu.Unlock()
	if tell {
		s.sendControl()
	}
}

// receive takes frames off c until it ends.
func (s *Stream) receive(c *carrier) {
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(c, header[:]); err != nil {
			s.parted(c, err)
			return
		}
		f, err := parseHeader(header[:])
		if err != nil {
			err = protocolError{err}
		} else {
			err = s.handle(c, f)
		}
		if err != nil {
			s.parted(c, err)
			return
		}
	}
}

// protocolError says that the other side sent what no sender of ours sends.
type protocolError struct{ error }

func (e protocolError) Unwrap() error { return e.error }

func broken(format string, args ...any) error {
	return protocolError{fmt.Errorf(format, args...)}
}

func (s *Stream) handle(c *carrier, f frame) error {
	switch f.typ {
	case frameData:
		return s.handleData(c, f)
	case frameAck:
		return s.handleAck(f)
	case frameFin:
		return s.handleFin(f)
	case frameSeen:
		return s.handleSeen(f)
	default:
		return s.handleReset(c, f)
	}
}

func (s *Stream) handleAck(f frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.offset < s.ackedUs || f.offset > s.sent {
		return broken("acknowledgement of %d bytes when %d of %d were outstanding", f.offset, s.sent-s.ackedUs, s.sent)
	}
	s.ackedUs = f.offset
	s.unacked.drop(f.offset)
	wake(s.writable)
	return nil
}

func (s *Stream) handleFin(f frame) error {
	s.mu.Lock()
	again := s.resumes && s.gotFin && f.offset == s.received // it was on its way when a carrier was lost
	if !again && (s.gotFin || s.gotReset != nil || f.offset != s.received) {
		s.mu.Unlock()
		return broken("end at byte %d after %d bytes", f.offset, s.received)
	}
	s.gotFin = true
	s.seenWanted = s.resumes
	s.mu.Unlock()
	wake(s.readable)
	s.answer()
	return nil
}

func (s *Stream) handleSeen(f frame) error {
	s.mu.Lock()
	if !s.resumes || f.offset&seenFin != 0 && !s.finTold || f.offset&seenReset != 0 && !s.resetTold {
		s.mu.Unlock()
		return broken("an end was seen that nobody sent")
	}
	s.endSeen |= f.offset
	s.finSent = s.finSent || f.offset&seenFin != 0
	s.resetSent = s.resetSent || f.offset&seenReset != 0
	s.unacked.drop(s.sent) // ends come behind all data
	s.mu.Unlock()
	s.answer()
	return nil
}

// answer does what an end that was received asks for, elsewhere: we are the
// carrier's reader and must not wait for its writer.
func (s *Stream) answer() {
	if s.controlWanted() {
		go s.sendControl()
	}
}

// handleData reads a payload straight into the buffer.
func (s *Stream) handleData(c *carrier, f frame) error {
	s.mu.Lock()
	over := f.offset != s.received || s.gotFin || s.gotReset != nil || s.received+int64(f.length)-s.ackedThem > Window
	s.mu.Unlock()
	if over {
		return broken("%d bytes of data at %d, where they have no place", f.length, f.offset)
	}
	for left := f.length; left > 0; {
		s.mu.Lock()
		space := s.in.space()
		s.mu.Unlock()
		space = space[:min(left, len(space))]
		n, err := io.ReadFull(c, space)
		s.mu.Lock()
		s.in.commit(n)
		s.received += int64(n)
		if s.closed {
			s.consumed += int64(s.in.clear())
		}
		s.mu.Unlock()
		wake(s.readable)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// handleReset ends our direction too: nobody reads it any more.
func (s *Stream) handleReset(c *carrier, f frame) error {
	reason := make([]byte, f.length)
	if _, err := io.ReadFull(c, reason); err != nil {
		return err
	}
	s.mu.Lock()
	if s.gotReset != nil && !s.resumes {
		s.mu.Unlock()
		return broken("second reset")
	}
	if s.gotReset == nil {
		s.gotReset = &ResetError{Reason: printable(reason)}
	}
	s.resetWanted = true
	s.seenWanted = s.resumes
	s.mu.Unlock()
	wake(s.readable)
	wake(s.writable)
	s.answer()
	return nil
}

// printable is a stranger's text, fit for a terminal.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b), ""))
}
