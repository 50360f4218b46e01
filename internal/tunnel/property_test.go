package tunnel

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// choppy is a carrier that takes and gives bytes in odd pieces.
type choppy struct {
	net.Conn
	most int
}

func (c choppy) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), c.most)]) }

// side is what one end does: it writes its pieces, with half of a close behind
// them, while it reads all there is.
type side struct {
	pieces []int
	reads  int  // size of its reads
	copies bool // io.Copy instead of Read
}

func drawSide(t *rapid.T, name string) side {
	return side{
		pieces: rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, 3*MaxPayload), rapid.IntRange(1, Window+Window/2)), 0, 8).Draw(t, name+" writes"),
		reads:  rapid.OneOf(rapid.IntRange(1, 2000), rapid.IntRange(1, 1<<20)).Draw(t, name+" reads"),
		copies: rapid.Bool().Draw(t, name+" copies"),
	}
}

func (s side) total() (n int) {
	for _, p := range s.pieces {
		n += p
	}
	return n
}

// Whatever the sizes of writes, reads and carrier's pieces, each direction is
// byte for byte what was written, ends when its writer ended it, and neither
// waits for the other.
func TestBytesArriveExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := net.Pipe()
		most := rapid.SampledFrom([]int{1 << 20, 70_000, 4096, 997}).Draw(t, "carrier")
		a, b := New(choppy{x, most}), New(choppy{y, most})
		sa, sb := drawSide(t, "a"), drawSide(t, "b")
		da, db := pattern(1, sa.total()), pattern(2, sb.total())
		results := make(chan error, 4)
		go func() { results <- write(a, sa, da) }()
		go func() { results <- write(b, sb, db) }()
		go func() { results <- read(b, sb, da) }()
		go func() { results <- read(a, sa, db) }()
		for range 4 {
			select {
			case err := <-results:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("stuck")
			}
		}
		a.Close()
		b.Close()
		<-a.Done()
		<-b.Done()
		for _, s := range []*Stream{a, b} {
			if held := len(s.in.held); held != 0 || s.received != s.consumed {
				t.Fatalf("still holds %d chunks, %d of %d bytes", held, s.received-s.consumed, s.received)
			}
		}
	})
}

func pattern(seed uint64, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return b
}

func write(s *Stream, as side, data []byte) error {
	for _, n := range as.pieces {
		if _, err := s.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return s.CloseWrite()
}

func read(s *Stream, as side, want []byte) error {
	var got bytes.Buffer
	var err error
	if as.copies {
		_, err = io.Copy(&got, s)
	} else {
		_, err = io.CopyBuffer(&got, struct{ io.Reader }{s}, make([]byte, as.reads))
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(got.Bytes(), want) {
		return errors.New("other bytes than were written")
	}
	return nil
}

// A hostile carrier makes a receiver neither panic, nor hold more than a
// window, nor read an end that was not sent.
func FuzzReceive(f *testing.F) {
	put := func(fr frame, payload string) []byte {
		b := make([]byte, headerSize)
		fr.put(b)
		return append(b, payload...)
	}
	data := put(frame{typ: frameData, length: 5}, "hello")
	fin := put(frame{typ: frameFin, offset: 5}, "")
	f.Add([]byte{})
	f.Add(data)
	f.Add(append(data, fin...))
	f.Add(append(data, data...))
	f.Add(append(fin, data...))
	f.Add(put(frame{typ: frameAck, offset: 1}, ""))
	f.Add(put(frame{typ: frameReset, length: 3}, "why"))
	f.Add(put(frame{typ: frameReset, length: 300}, ""))
	f.Add(put(frame{typ: frameData, length: MaxPayload + 1}, "x"))
	f.Add(put(frame{typ: frameData, offset: 1 << 62, length: 1}, "x"))
	f.Add(put(frame{typ: 77, offset: 1, length: 1}, "x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := New(&script{Reader: bytes.NewReader(in)})
		<-s.Done()
		if got := s.received - s.consumed; got > Window || len(s.in.held)*frameSize > Window+2*frameSize {
			t.Fatalf("holds %d bytes in %d chunks", got, len(s.in.held))
		}
		_, err := io.ReadAll(s)
		if err == nil && !s.gotFin {
			t.Fatal("an end that nobody sent")
		}
		s.Close()
	})
}

// script is a carrier that says what it has to say and takes everything.
type script struct{ io.Reader }

func (*script) Write(p []byte) (int, error) { return len(p), nil }
func (*script) Close() error                { return nil }

// A sender that ignores the window is cut off.
func TestWindowIsEnforced(t *testing.T) {
	t.Parallel()
	x, y := net.Pipe()
	s := New(x)
	defer s.Close()
	sent := 0
	b := make([]byte, headerSize+MaxPayload)
	for {
		frame{typ: frameData, offset: int64(sent), length: MaxPayload}.put(b)
		if _, err := y.Write(b); err != nil {
			break
		}
		sent += MaxPayload
	}
	if sent > Window {
		t.Errorf("took %d bytes unread", sent)
	}
}
