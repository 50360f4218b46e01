package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
)

// valve is a connection that can be shut: a network that swallows everything,
// or, with full, a peer that is frozen and takes nothing more.
type valve struct {
	net.Conn
	full bool

	once   sync.Once
	shut   chan struct{}
	closed chan struct{}
}

func newValve(c net.Conn, full bool) *valve {
	return &valve{Conn: c, full: full, shut: make(chan struct{}), closed: make(chan struct{})}
}

func (v *valve) Read(p []byte) (int, error) {
	n, err := v.Conn.Read(p)
	select {
	case <-v.shut:
		<-v.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (v *valve) Write(p []byte) (int, error) {
	select {
	case <-v.shut:
		if v.full {
			<-v.closed
			return 0, net.ErrClosed
		}
		return len(p), nil
	default:
		return v.Conn.Write(p)
	}
}

func (v *valve) Close() error {
	v.once.Do(func() { close(v.closed) })
	return v.Conn.Close()
}

// linked joins a relay and an agent; each end has a valve.
func linked(t *testing.T, full bool, h Handler) (l *Link, relay, agent *valve, served chan error) {
	t.Helper()
	x, y := net.Pipe()
	relay, agent = newValve(x, full), newValve(y, full)
	served = make(chan error, 1)
	go func() { served <- Serve(t.Context(), agent, h) }()
	l, err := NewLink(relay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); agent.Close() })
	if _, err := l.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, relay, agent, served
}

func TestBothEndsNoticeASilentPeer(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			streamEnded := make(chan time.Time, 1)
			l, relay, agent, served := linked(t, full, Handler{Streams: map[string]func(context.Context, *Stream, string){
				"write": func(_ context.Context, s *Stream, _ string) {
					for {
						if _, err := s.Write(make([]byte, 1000)); err != nil {
							streamEnded <- time.Now()
							return
						}
						time.Sleep(time.Second)
					}
				},
			}})
			body, in := io.Pipe()
			defer in.Close()
			out, err := l.Open(t.Context(), Opening{ID: newID(), Kind: "write"}, body)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			go io.Copy(io.Discard, out)
			time.Sleep(time.Hour) // a quiet hour does no harm
			if l.Lost() || time.Since(l.Seen()) > PingEvery {
				t.Fatal("lost while alive; last seen", time.Since(l.Seen()))
			}
			start := time.Now()
			close(relay.shut)
			close(agent.shut)
			<-l.Closed()
			if took := time.Since(start); took > berth.AgentDead {
				t.Errorf("full=%v: the relay noticed after %v", full, took)
			}
			if err := <-served; !errors.Is(err, ErrLost) || time.Since(start) > berth.AgentDead {
				t.Errorf("full=%v: the agent noticed after %v: %v", full, time.Since(start), err)
			}
			if took := (<-streamEnded).Sub(start); took > berth.AgentDead {
				t.Errorf("full=%v: the stream ended after %v", full, took)
			}
		})
	}
}

func TestIdleLinkStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _, _, _ := linked(t, false, Handler{})
		for range 24 {
			time.Sleep(time.Hour)
			if seen := time.Since(l.Seen()); seen > PingEvery || l.Lost() {
				t.Fatalf("seen %v ago, lost: %v", seen, l.Lost())
			}
		}
	})
}

// Frozen between two pings, an agent does not keep people waiting for ever.
func TestOpeningGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, relay, agent, _ := linked(t, false, Handler{})
		close(relay.shut)
		close(agent.shut)
		start := time.Now()
		body, _ := io.Pipe()
		if _, err := l.Open(t.Context(), Opening{ID: newID(), Kind: "ssh"}, body); err == nil || time.Since(start) > openWait {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		time.Sleep(time.Minute)
	})
}

func TestRelayCallsOrdinaryHandlers(t *testing.T) {
	t.Parallel()
	l, _, _, served := linked(t, false, Handler{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "you asked for "+r.URL.Path)
	})})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://agent/anything", nil)
	resp, err := l.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != "you asked for /anything" {
		t.Errorf("%q", got)
	}
	l.Bye(t.Context(), Goodbye{Reason: "update", Relink: true})
	var bye *Goodbye
	if err := <-served; !errors.As(err, &bye) || !bye.Relink || bye.Reason != "update" {
		t.Error(err)
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	l, _, _, _ := linked(t, false, Handler{HTTP: http.NotFoundHandler()})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://agent/", nil)
	big := strings.Repeat("a", 4*maxHeader)
	r.Header.Set("X", big)
	resp, err := l.RoundTrip(r)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Error("a header of", len(big), "bytes came through:", resp.Status)
		}
	}
	if _, err := l.Ping(t.Context()); err != nil {
		t.Error("the link did not survive it:", err)
	}
}

// pipeListener makes an HTTP server reachable in memory, so that its clock can
// be a false one.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return noAddr{} }

func TestPersonAndRelayNoticeASilentPeer(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
			accepted, relayEnd := make(chan *Person, 1), make(chan time.Time, 1)
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p, err := AcceptStream(w, r)
				if err != nil {
					t.Error(err)
					return
				}
				accepted <- p
				io.Copy(io.Discard, p)
				relayEnd <- time.Now()
				p.Abort()
			})}
			go server.Serve(l)
			defer server.Close()
			var near, far *valve
			base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				x, y := net.Pipe()
				near, far = newValve(x, full), newValve(y, full)
				l.conns <- far
				return near, nil
			}}
			defer base.CloseIdleConnections()
			s, err := Dialer{HTTP: &http.Client{Transport: base}}.Dial(t.Context(), "http://relay/streams", nil, newID(), "ssh")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			<-accepted
			time.Sleep(time.Hour)
			start := time.Now()
			select {
			case <-s.Done():
				t.Fatal("ended while alive")
			case <-relayEnd:
				t.Fatal("relay gave up a live person")
			default:
			}
			close(near.shut)
			close(far.shut)
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrLost) || time.Since(start) > 30*time.Second {
				t.Errorf("full=%v: the person noticed after %v: %v", full, time.Since(start), err)
			}
			if took := (<-relayEnd).Sub(start); took > 30*time.Second {
				t.Errorf("full=%v: the relay noticed after %v", full, took)
			}
		})
	}
}

func TestHandshakeRefusalIsKept(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"code":"unavailable"}`)
	}))
	defer server.Close()
	_, err := Dialer{HTTP: server.Client()}.Dial(t.Context(), server.URL+"/streams", nil, newID(), "ssh")
	var h *HandshakeError
	if !errors.As(err, &h) || h.Status != 503 || string(h.Body) != `{"code":"unavailable"}` || h.ContentType != "application/problem+json" {
		t.Errorf("%+v, %v", h, err)
	}
}

func newID() string { return string(berth.NewID[Stream]()) }
