package links

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// host is an address at which one relay after the other lives. Killing one
// leaves no time for goodbyes.
type host struct {
	net.Listener
	relay atomic.Pointer[site]
	url   string

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (h *host) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err == nil {
		h.mu.Lock()
		h.conns[c] = true
		h.mu.Unlock()
	}
	return c, err
}

// kill ends every connection, and begins with a relay that knows nothing of the
// one before.
func (h *host) kill(t *testing.T) {
	t.Helper()
	next := newSite(t)
	h.mu.Lock()
	h.relay.Store(next)
	for c := range h.conns {
		c.Close()
	}
	clear(h.conns)
	h.mu.Unlock()
}

func newHost(t *testing.T) *host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Listener: l, url: "http://" + l.Addr().String(), conns: map[net.Conn]bool{}}
	h.relay.Store(newSite(t))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.relay.Load().handler.ServeHTTP(w, r)
	})}
	go server.Serve(h)
	t.Cleanup(func() { server.Close() })
	return h
}

// agent keeps a link, as agents do, until the test ends.
func (h *host) agent(t *testing.T, id berth.AgentID, keeper *tunnel.Keeper) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			conn, err := tunnel.DialLink(ctx, h.url+"/link", bearer(id))
			if err != nil {
				continue
			}
			tunnel.Serve(ctx, conn, tunnel.Handler{Keeper: keeper, Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}})
		}
	}()
	t.Cleanup(func() {
		if keeper != nil {
			keeper.Close("the test is over")
		}
		cancel()
		<-done
	})
	for h.relay.Load().live(id) == nil {
		time.Sleep(time.Millisecond)
	}
}

func (h *host) dial(t *testing.T, agent berth.AgentID, r tunnel.Resuming) *tunnel.Stream {
	t.Helper()
	r.Explain = func(err error) (bool, error) { // the test's site refuses with 418
		var refused *tunnel.HandshakeError
		if !errors.As(err, &refused) {
			return false, err
		}
		return !bytes.Contains(refused.Body, []byte("unavailable")), fmt.Errorf("%w: %s", err, refused.Body)
	}
	s, err := tunnel.Dialer{}.DialResuming(t.Context(), h.url+"/"+string(agent)+"/streams", r, newStream(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		<-s.Done()
	})
	return s
}

// A stream outlives its relays, each killed while bytes are on their way in
// both directions.
func TestStreamsOutliveTheirRelay(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	agent := newAgent()
	h.agent(t, agent, tunnel.NewKeeper())
	var lost, back atomic.Int32
	s := h.dial(t, agent, tunnel.Resuming{Lost: func(error) { lost.Add(1) }, Back: func() { back.Add(1) }})
	sent := noise(30 << 20)
	go func() {
		for part := range 6 {
			s.Write(sent[part*5<<20 : (part+1)*5<<20])
			if part%2 == 1 {
				h.kill(t)
			}
		}
		s.CloseWrite()
	}()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("got %d of %d bytes: %v", len(got), len(sent), err)
	}
	if lost.Load() == 0 || lost.Load() != back.Load() {
		t.Errorf("lost %d times, back %d times", lost.Load(), back.Load())
	}
}

func TestAgentThatRestartedKnowsNoStreams(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	id := newAgent()
	serve := func() (stop func()) {
		conn, err := tunnel.DialLink(t.Context(), h.url+"/link", bearer(id))
		if err != nil {
			t.Fatal(err)
		}
		keeper := tunnel.NewKeeper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			tunnel.Serve(context.Background(), conn, tunnel.Handler{Keeper: keeper, Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}})
		}()
		for h.relay.Load().live(id) == nil {
			time.Sleep(time.Millisecond)
		}
		return func() { conn.Close(); <-done; keeper.Close("the process ends") }
	}
	stop := serve()
	s := h.dial(t, id, tunnel.Resuming{})
	stop()
	for h.relay.Load().live(id) != nil {
		time.Sleep(time.Millisecond)
	}
	defer serve()()
	_, err := s.Read(make([]byte, 1))
	var refused *tunnel.HandshakeError
	if !errors.Is(err, tunnel.ErrLost) || !errors.As(err, &refused) || !strings.Contains(string(refused.Body), "no longer has this connection") {
		t.Errorf("%v", err)
	}
}

// Ended on purpose, nobody waits for a stream to come back.
func TestStreamsEndOnPurpose(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	agent := newAgent()
	keeper := tunnel.NewKeeper()
	h.agent(t, agent, keeper)
	s := h.dial(t, agent, tunnel.Resuming{Lost: func(error) { t.Error("taken for a loss") }})
	h.relay.Load().CloseAgent(agent, "the workspace was deleted")
	_, err := s.Read(make([]byte, 1))
	var bye *tunnel.Goodbye
	var reset *tunnel.ResetError
	if !errors.As(err, &bye) && !(errors.As(err, &reset) && strings.Contains(reset.Reason, "deleted")) {
		t.Error(err)
	}
}

// An agent of before cannot resume: its streams end with their connection.
func TestAgentWithoutResuming(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	agent := newAgent()
	h.agent(t, agent, nil)
	s := h.dial(t, agent, tunnel.Resuming{})
	s.Write([]byte("hello"))
	if _, err := io.ReadFull(s, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	h.kill(t)
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, tunnel.ErrLost) {
		t.Error(err)
	}
}
