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

// receive takes frames off the carrier until it ends.
func (s *Stream) receive() {
	defer close(s.done)
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(s.carrier, header[:]); err != nil {
			s.end(err)
			return
		}
		f, err := parseHeader(header[:])
		if err == nil {
			err = s.handle(f)
		}
		if err != nil {
			s.end(err)
			return
		}
		s.finish()
	}
}

// end says that nothing more comes from the carrier.
func (s *Stream) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = lost(err)
	}
	s.ended = true
	if s.lingering != nil {
		s.lingering.Stop()
	}
	whole := (s.finSent || s.resetSent) && (s.gotFin || s.gotReset != nil)
	s.mu.Unlock()
	wake(s.readable)
	wake(s.writable)
	if whole {
		s.carrier.Close()
		return
	}
	s.abort() // a Write that waits, waits in vain
}

func (s *Stream) handle(f frame) error {
	switch f.typ {
	case frameData:
		return s.handleData(f)
	case frameAck:
		s.mu.Lock()
		defer s.mu.Unlock()
		if f.offset < s.ackedUs || f.offset > s.sent {
			return fmt.Errorf("acknowledgement of %d bytes when %d of %d were outstanding", f.offset, s.sent-s.ackedUs, s.sent)
		}
		s.ackedUs = f.offset
		wake(s.writable)
		return nil
	case frameFin:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gotFin || s.gotReset != nil || f.offset != s.received {
			return fmt.Errorf("end at byte %d after %d bytes", f.offset, s.received)
		}
		s.gotFin = true
		wake(s.readable)
		return nil
	default:
		return s.handleReset(f)
	}
}

// handleData reads a payload straight into the buffer.
func (s *Stream) handleData(f frame) error {
	s.mu.Lock()
	over := f.offset != s.received || s.gotFin || s.gotReset != nil || s.received+int64(f.length)-s.ackedThem > Window
	s.mu.Unlock()
	if over {
		return fmt.Errorf("%d bytes of data at %d, where they have no place", f.length, f.offset)
	}
	for left := f.length; left > 0; {
		s.mu.Lock()
		space := s.in.space()
		s.mu.Unlock()
		space = space[:min(left, len(space))]
		n, err := io.ReadFull(s.carrier, space)
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
func (s *Stream) handleReset(f frame) error {
	reason := make([]byte, f.length)
	if _, err := io.ReadFull(s.carrier, reason); err != nil {
		return err
	}
	s.mu.Lock()
	if s.gotReset != nil {
		s.mu.Unlock()
		return fmt.Errorf("second reset")
	}
	s.gotReset = &ResetError{Reason: printable(reason)}
	s.resetWanted = true
	s.mu.Unlock()
	wake(s.readable)
	wake(s.writable)
	go s.sendControl() // we are the carrier's reader and must not wait for its writer
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
