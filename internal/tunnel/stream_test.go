package tunnel

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair gives two streams joined by a pipe.
func pair(t *testing.T) (a, b *Stream) {
	t.Helper()
	x, y := net.Pipe()
	a, b = New(x), New(y)
	t.Cleanup(func() {
		a.Close()
		b.Close()
		<-a.Done()
		<-b.Done()
	})
	return a, b
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func TestBothDirectionsEndByThemselves(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	question, answer := noise(3*Window+5), noise(2*Window+7)
	go func() {
		a.Write(question)
		a.CloseWrite()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, question) {
		t.Fatalf("read %d of %d bytes: %v", len(got), len(question), err)
	}
	go func() {
		b.Write(answer)
		b.Close()
	}()
	got, err = io.ReadAll(a)
	if err != nil || !bytes.Equal(got, answer) {
		t.Fatalf("read %d of %d bytes: %v", len(got), len(answer), err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing behind the end: %v", err)
	}
}

func TestBothWriteBeforeEitherReads(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	full := noise(Window)
	for _, s := range []*Stream{a, b} {
		if _, err := s.Write(full); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*Stream{a, b} {
		got := make([]byte, Window)
		if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, full) {
			t.Fatal("other bytes", err)
		}
	}
}

func TestCloseLosesNothingWritten(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	data := noise(Window)
	a.Write(data)
	a.Close()
	time.Sleep(10 * time.Millisecond) // let b's answer and the carrier's end come first
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d of %d bytes: %v", len(got), len(data), err)
	}
	var reset *ResetError
	if _, err := b.Write([]byte("x")); !errors.As(err, &reset) {
		t.Errorf("writing to a closed stream: %v", err)
	}
}

func TestResetTellsWhy(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.Write([]byte("before"))
	a.Reset("the \x1b[2Jworkspace\n stops\xff")
	got, err := io.ReadAll(b)
	var reset *ResetError
	if string(got) != "before" || !errors.As(err, &reset) || reset.Reason != "the [2Jworkspace stops" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestLostCarrierIsNotAnEnd(t *testing.T) {
	t.Parallel()
	x, y := net.Pipe()
	a := New(x)
	defer a.Close()
	go func() {
		b := make([]byte, headerSize)
		frame{typ: frameData, offset: 0, length: 2}.put(b)
		y.Write(append(b, "hi"...))
		y.Close()
	}()
	got, err := io.ReadAll(a)
	if string(got) != "hi" || !errors.Is(err, ErrLost) {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, ErrLost) {
		t.Errorf("wrote: %v", err)
	}
}

func TestSlowReaderHoldsItsWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		n, err := a.Write(make([]byte, 2*Window))
		if n != Window || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Fatalf("wrote %d after %v: %v", n, time.Since(start), err)
		}
		// The deadline ends the Write and not the stream.
		a.SetWriteDeadline(time.Time{})
		go io.CopyN(io.Discard, b, 2*Window)
		if n, err := a.Write(make([]byte, Window)); err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		p := make([]byte, 10)
		a.SetReadDeadline(time.Now().Add(time.Hour))
		go func() {
			time.Sleep(time.Minute)
			a.SetReadDeadline(time.Now().Add(time.Second)) // sooner, while Read waits
		}()
		start := time.Now()
		if _, err := a.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute+time.Second {
			t.Fatalf("read after %v: %v", time.Since(start), err)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("later"))
		if n, err := a.Read(p); string(p[:n]) != "later" {
			t.Fatalf("read %q: %v", p[:n], err)
		}
		var timeout net.Error
		a.SetDeadline(time.Unix(1, 0))
		if _, err := a.Write(p); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("wrote: %v", err)
		}
	})
}

func TestCloseGivesUpADeafPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x, y := net.Pipe()
		defer y.Close()
		a := New(x)
		start := time.Now()
		a.Close()
		<-a.Done()
		if took := time.Since(start); took > linger {
			t.Errorf("took %v", took)
		}
	})
}

func TestStuckCarrierPassesTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x, y := net.Pipe() // nobody reads y
		defer y.Close()
		a := New(x)
		defer a.Close()
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := a.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote: %v", err)
		}
	})
}
