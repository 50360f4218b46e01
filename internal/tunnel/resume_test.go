package tunnel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// cut is a carrier that breaks after so many bytes in either direction. A
// negative number never breaks it.
type cut struct {
	net.Conn
	mu      sync.Mutex
	in, out int
}

var errCut = errors.New("cut")

func (c *cut) Read(p []byte) (int, error) {
	c.mu.Lock()
	left := c.in
	c.mu.Unlock()
	if left == 0 {
		c.Conn.Close()
		return 0, errCut
	}
	if left > 0 {
		p = p[:min(len(p), left)]
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	if c.in > 0 {
		c.in -= n
	}
	c.mu.Unlock()
	return n, err
}

func (c *cut) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	left := c.out
	if left >= 0 {
		c.out -= min(left, len(p))
	}
	c.mu.Unlock()
	if left < 0 || left >= len(p) {
		return c.Conn.Write(p)
	}
	n, _ = c.Conn.Write(p[:left])
	c.Conn.Close()
	return n, errCut
}

// wire joins a dialing and a serving end by carriers that break where it is
// told to, one after the other.
type wire struct {
	agent *Stream
	cuts  [][2]int // bytes in and out of each carrier; then none breaks
	fail  int      // this many dials fail before each that works

	failed, dials int
}

func (w *wire) open(_ context.Context, number int, from int64) (io.ReadWriteCloser, int64, bool, error) {
	if number > 0 && w.failed < w.fail {
		w.failed++
		return nil, 0, false, errors.New("the network is away")
	}
	w.failed = 0
	var received int64
	if number > 0 {
		var err error
		if received, err = w.agent.release(number, from); err != nil {
			return nil, 0, false, err
		}
	}
	x, y := net.Pipe()
	c := &cut{Conn: x, in: -1, out: -1}
	if w.dials < len(w.cuts) {
		c.in, c.out = w.cuts[w.dials][0], w.cuts[w.dials][1]
	}
	w.dials++
	attached := make(chan error)
	go func() {
		s := w.agent
		// The first bytes may be cut off already: do not wait for them here.
		s.mu.Lock()
		may := s.mayAttach(number, from)
		s.mu.Unlock()
		attached <- may
		s.attach(y, number, from)
	}()
	if err := <-attached; err != nil {
		return nil, 0, false, err
	}
	return c, received, true, nil
}

// join gives both ends.
func (w *wire) join(t testing.TB, r Resuming) (client *Stream) {
	t.Helper()
	w.agent = newStream()
	w.agent.resumes, w.agent.keep, w.agent.linger = true, keepFor, keepFor
	if r.For == 0 {
		r.For = ResumeFor + resumeGrace
	}
	if r.Explain == nil {
		r.Explain = func(err error) (bool, error) {
			return errors.Is(err, errOver) || errors.Is(err, errRange) || errors.Is(err, errStale), err
		}
	}
	re := &redialer{Resuming: r, s: newStream(), open: w.open}
	c, _, _, err := w.open(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	re.s.resumes, re.s.redial = true, re.run
	re.s.attach(c, 0, 0)
	return re.s
}

// Wherever carriers break, in frames, headers, acknowledgements and ends, each
// direction is byte for byte what was written, once.
func TestResumedBytesArriveExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		position := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 100_000), rapid.IntRange(0, 3*Window), rapid.Just(-1))
		w := &wire{fail: rapid.IntRange(0, 3).Draw(r, "failing dials")}
		for range rapid.IntRange(0, 6).Draw(r, "cuts") {
			w.cuts = append(w.cuts, [2]int{position.Draw(r, "in"), position.Draw(r, "out")})
		}
		client, agent := drawSide(r, "client"), drawSide(r, "agent")
		var err error
		synctest.Test(t, func(t *testing.T) { err = exchange(t, w, client, agent) })
		if err != nil {
			r.Fatal(err)
		}
	})
}

// exchange has both sides do what they do, and says what went wrong.
func exchange(t *testing.T, w *wire, client, agent side) error {
	a := w.join(t, Resuming{})
	b := w.agent
	da, db := pattern(1, client.total()), pattern(2, agent.total())
	results := make(chan error, 4)
	go func() { results <- write(a, client, da) }()
	go func() { results <- write(b, agent, db) }()
	go func() { results <- read(b, agent, da) }()
	go func() { results <- read(a, client, db) }()
	var errs []error
	for range 4 {
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-time.After(20 * time.Minute):
			errs = append(errs, errors.New("stuck"))
		}
	}
	a.Close()
	b.Close()
	<-a.Done()
	<-b.Done()
	for name, s := range map[string]*Stream{"client": a, "agent": b} {
		if len(s.in.held) != 0 || len(s.unacked.parts) != 0 || s.received != s.consumed {
			errs = append(errs, fmt.Errorf("%s still holds %d chunks of input and %d of output", name, len(s.in.held), len(s.unacked.parts)))
		}
		if err := s.Err(); err != nil && !(s == b && unconfirmed(s)) {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// unconfirmed tells that all a stream lacks is to be told that its end arrived,
// by somebody who was satisfied and went away.
func unconfirmed(s *Stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed && s.gotFin && s.finTold
}

// What one side wrote before it closed arrives even when the connection is lost
// right then and comes back minutes later.
func TestCloseBeforeACutLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for at := range 60 {
			w := &wire{cuts: [][2]int{{at, -1}}, fail: 20}
			a := w.join(t, Resuming{})
			data := noise(10)
			w.agent.Write(data)
			w.agent.Close()
			got, err := io.ReadAll(a)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("cut at %d: read %q, %v", at, got, err)
			}
			a.Close()
			<-a.Done()
			<-w.agent.Done()
			if a.Err() != nil {
				t.Fatalf("cut at %d: %v", at, a.Err())
			}
		}
	})
}
