package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// agency is an agent with a Keeper, over one link after the other.
type agency struct {
	t      *testing.T
	keeper *Keeper
	link   *Link
	raw    net.Conn
}

// newAgency starts an agent whose streams of kind "echo" send back what they
// get.
func newAgency(t *testing.T) *agency {
	t.Helper()
	g := &agency{t: t, keeper: NewKeeper()}
	g.relink()
	t.Cleanup(func() {
		g.link.Close()
		g.keeper.Close("the test is over")
		time.Sleep(2 * linger) // the bubble's: until all timers ran out
	})
	return g
}

func (g *agency) relink() {
	g.t.Helper()
	if g.link != nil {
		g.link.Close()
	}
	x, y := net.Pipe()
	g.raw = y
	go Serve(context.Background(), y, Handler{Keeper: g.keeper, Streams: map[string]func(context.Context, *Stream, string){
		"echo": func(_ context.Context, s *Stream, _ string) {
			io.Copy(s, s)
			s.CloseWrite()
		},
		"other": func(context.Context, *Stream, string) {},
	}})
	l, err := NewLink(x)
	if err != nil {
		g.t.Fatal(err)
	}
	g.link = l
}

// half is a carrier made of what Link.Open takes and gives.
type half struct {
	*Incoming
	in *io.PipeWriter
}

func (h half) Write(p []byte) (int, error) { return h.in.Write(p) }
func (h half) Close() error                { h.in.Close(); return h.Incoming.Close() }

// open asks for a carrier; status is the agent's refusal.
func (g *agency) open(o Opening) (c io.ReadWriteCloser, received int64, status int) {
	g.t.Helper()
	out, in := io.Pipe()
	incoming, err := g.link.Open(g.t.Context(), o, out)
	var refused *StatusError
	if errors.As(err, &refused) {
		return nil, 0, refused.Status
	}
	if err != nil {
		return nil, 0, 0 // not even an HTTP request
	}
	n, _ := strconv.ParseInt(incoming.received, 10, 64)
	return half{incoming, in}, n, http.StatusOK
}

// begin opens a stream that resumes, sends and gets back a word on it, and
// loses it with the link.
func (g *agency) begin(id, actor string) {
	g.t.Helper()
	c, _, status := g.open(Opening{ID: id, Kind: "echo", Actor: actor, Resumes: true})
	if status != http.StatusOK {
		g.t.Fatal("refused:", status)
	}
	s := newStream()
	s.resumes, s.redial = true, func(error) {}
	s.attach(c, 0, 0)
	s.Write([]byte("hello"))
	if _, err := io.ReadFull(s, make([]byte, 5)); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { s.fail(net.ErrClosed) })
}

func TestWhoMayResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newAgency(t)
		id := newID()
		g.begin(id, "ann")
		g.relink()
		good := Opening{ID: id, Kind: "echo", Actor: "ann", Resumes: true, Carrier: 3, From: 5}
		for _, c := range []struct {
			name   string
			change func(*Opening)
			want   int
		}{
			{"somebody else", func(o *Opening) { o.Actor = "bob" }, http.StatusGone},
			{"nobody", func(o *Opening) { o.Actor = "" }, http.StatusGone},
			{"another kind", func(o *Opening) { o.Kind = "other" }, http.StatusGone},
			{"an unknown stream", func(o *Opening) { o.ID = newID() }, http.StatusGone},
			{"bytes that were not sent yet", func(o *Opening) { o.From = 6 }, http.StatusGone},
			{"all the bytes there are", func(o *Opening) { o.From = 1 << 62 }, http.StatusGone},
			{"opening it again", func(o *Opening) { o.Carrier, o.From = 0, 0 }, http.StatusConflict},
			{"without asking for it", func(o *Opening) { o.Resumes = false }, http.StatusGone},
			{"as it should be", func(*Opening) {}, http.StatusOK},
			{"a number that was used", func(*Opening) {}, http.StatusConflict},
			{"a lower number", func(o *Opening) { o.Carrier = 2 }, http.StatusConflict},
			{"a higher number", func(o *Opening) { o.Carrier = 4 }, http.StatusOK},
		} {
			o := good
			c.change(&o)
			carrier, received, status := g.open(o)
			if status != c.want || status == http.StatusOK && received != 5 {
				t.Errorf("%s: %d, %d bytes received", c.name, status, received)
			}
			if carrier != nil {
				defer carrier.Close()
			}
		}
	})
}

// The newer carrier wins, and the older one ends.
func TestNewerCarrierWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newAgency(t)
		id := newID()
		g.begin(id, "ann")
		o := Opening{ID: id, Kind: "echo", Actor: "ann", Resumes: true, Carrier: 1, From: 5}
		first, _, _ := g.open(o)
		o.Carrier = 2
		second, _, status := g.open(o)
		if status != http.StatusOK {
			t.Fatal(status)
		}
		io.ReadAll(first) // ends
		s := newStream()
		s.resumes, s.redial = true, func(error) {}
		s.received, s.consumed, s.sent, s.ackedUs = 5, 5, 5, 5
		s.unacked.base = 5
		s.attach(second, 0, 5)
		s.Write([]byte("again"))
		got := make([]byte, 5)
		if _, err := io.ReadFull(s, got); err != nil || string(got) != "again" {
			t.Errorf("%q, %v", got, err)
		}
		first.Close()
		s.Close()
		<-s.Done()
	})
}

func (k *Keeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.live)
}

func TestKeptStreamsEnd(t *testing.T) {
	t.Parallel()
	t.Run("after a while", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newAgency(t)
			g.begin(newID(), "ann")
			g.relink()
			time.Sleep(keepFor - time.Second)
			if n := g.keeper.count(); n != 1 {
				t.Error(n, "streams before their time")
			}
			time.Sleep(2 * time.Second)
			if n := g.keeper.count(); n != 0 {
				t.Error(n, "streams after their time")
			}
		})
	})
	for _, relink := range []bool{true, false} {
		t.Run(fmt.Sprint("at a goodbye, relink ", relink), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newAgency(t)
				g.begin(newID(), "ann")
				g.link.Bye(t.Context(), Goodbye{Reason: "on purpose", Relink: relink})
				time.Sleep(2 * linger)
				if n := g.keeper.count(); n == 1 != relink {
					t.Error(n, "streams are kept")
				}
			})
		})
	}
	t.Run("when there are too many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newAgency(t)
			oldest := newID()
			g.begin(oldest, "ann")
			g.relink()
			time.Sleep(time.Second)
			for range MaxStreams + 10 {
				g.begin(newID(), "ann")
				if g.keeper.count()%50 == 0 {
					g.relink()
				}
			}
			if n := g.keeper.count(); n > MaxStreams {
				t.Error(n, "streams")
			}
			if _, _, status := g.open(Opening{ID: oldest, Kind: "echo", Actor: "ann", Resumes: true, Carrier: 1, From: 5}); status != http.StatusGone {
				t.Error("the oldest is still there:", status)
			}
		})
	})
}

// Whatever a hostile relay asks for, the agent goes on: no panic, no stream too
// many, and nothing of a stream for someone who did not open it.
func FuzzResume(f *testing.F) {
	f.Add("ann", "echo", 1, int64(5), []byte{})
	f.Add("bob", "echo", 1, int64(5), []byte("\x01"))
	f.Add("ann", "echo", -1, int64(-1), []byte{})
	f.Add("ann", "echo", 1<<40, int64(1)<<62, []byte{})
	ack := make([]byte, headerSize)
	frame{typ: frameAck, offset: 500}.put(ack)
	f.Add("ann", "echo", 2, int64(3), ack)
	frame{typ: frameSeen, offset: 3}.put(ack)
	f.Add("ann", "echo", 2, int64(5), ack)
	f.Fuzz(func(t *testing.T, actor, kind string, number int, from int64, frames []byte) {
		synctest.Test(t, func(t *testing.T) {
			g := newAgency(t)
			id := newID()
			g.begin(id, "ann")
			c, received, status := g.open(Opening{ID: id, Kind: kind, Actor: actor, Resumes: true, Carrier: number, From: from})
			if status == http.StatusOK && number > 0 && (actor != "ann" || kind != "echo" || from > 5 || from < 0 || received != 5) {
				t.Errorf("%q resumed %q from %d, %d received", actor, kind, from, received)
			}
			if c != nil {
				go io.Copy(io.Discard, c)
				c.Write(frames)
				c.Close()
			}
			if n := g.keeper.count(); n > 1 {
				t.Error(n, "streams")
			}
		})
	})
}
