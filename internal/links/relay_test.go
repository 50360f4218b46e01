package links

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a relay behind a real web server, with notes of what it reported.
type site struct {
	*Relay
	url     string
	handler http.Handler
	linking func(berth.AgentID) // if set, called when a link is told of

	mu       sync.Mutex
	events   []string
	seconds  []Second
	evidence []Evidence
}

func (s *site) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf(format, args...))
}

func (s *site) Report(e Evidence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evidence = append(s.evidence, e)
}

// newSite starts a relay whose agents' tokens are their ids.
func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{}
	s.Relay = New(Options{
		Auth: func(_ context.Context, token string) (Identity, error) {
			if !berth.IsID(token) {
				return Identity{}, berth.Errorf(berth.Unauthenticated, "No agent has this token.")
			}
			return Identity{Agent: berth.AgentID(token)}, nil
		},
		Linked: func(_ context.Context, id Identity, _ time.Time) error {
			s.note("linked %s", id.Agent)
			if s.linking != nil {
				s.linking(id.Agent)
			}
			return nil
		},
		Unlinked: func(_ context.Context, id Identity, _ time.Time, reason string) {
			s.note("unlinked %s: %s", id.Agent, reason)
		},
		Second: func(_ context.Context, second Second) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seconds = append(s.seconds, second)
		},
		Evidence: s,
	})
	answer := func(w http.ResponseWriter, err error) {
		if err != nil {
			w.WriteHeader(http.StatusTeapot)
			json.NewEncoder(w).Encode(map[string]string{"code": string(berth.ErrorCode(err)), "message": berth.ErrorMessage(err)})
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /link", func(w http.ResponseWriter, r *http.Request) { answer(w, s.ServeLink(w, r)) })
	mux.HandleFunc("GET /{agent}/streams/{stream}", func(w http.ResponseWriter, r *http.Request) {
		o, _ := tunnel.ReadOpening(r.URL.Query())
		o.ID, o.Actor = r.PathValue("stream"), r.Header.Get("Actor")
		answer(w, s.ServeStream(context.Background(), w, r, berth.AgentID(r.PathValue("agent")), o))
	})
	server := httptest.NewServer(mux)
	s.url, s.handler = server.URL, mux
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error("closing the relay:", err)
		}
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

// echo gives back what it gets.
func echo(_ context.Context, s *tunnel.Stream, _ string) {
	io.Copy(s, s)
	s.CloseWrite()
}

// drain takes everything and answers its size.
func drain(_ context.Context, s *tunnel.Stream, _ string) {
	n, _ := io.Copy(io.Discard, s)
	fmt.Fprint(s, n)
}

// link links a new agent; its Serve's error comes out of the channel.
func (s *site) link(t testing.TB, agent berth.AgentID) <-chan error {
	t.Helper()
	return s.serve(t, agent, map[string]func(context.Context, *tunnel.Stream, string){"echo": echo, "drain": drain})
}

func (s *site) serve(t testing.TB, agent berth.AgentID, streams map[string]func(context.Context, *tunnel.Stream, string)) <-chan error {
	t.Helper()
	conn, err := tunnel.DialLink(t.Context(), s.url+"/link", bearer(agent))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- tunnel.Serve(context.Background(), conn, tunnel.Handler{Streams: streams})
	}()
	for s.live(agent) == nil {
		time.Sleep(time.Millisecond)
	}
	return done
}

func (s *site) live(agent berth.AgentID) *link {
	s.Relay.mu.Lock()
	defer s.Relay.mu.Unlock()
	return s.links[agent]
}

func bearer(agent berth.AgentID) http.Header {
	return http.Header{"Authorization": {"Bearer " + string(agent)}}
}

func newAgent() berth.AgentID { return berth.NewID[berth.Agent]() }
func newStream() string       { return string(berth.NewID[struct{}]()) }

func (s *site) dial(t testing.TB, agent berth.AgentID, kind string) *tunnel.Stream {
	t.Helper()
	stream, err := tunnel.Dial(t.Context(), s.url+"/"+string(agent)+"/streams", nil, newStream(), kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stream.Close()
		<-stream.Done()
	})
	return stream
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func TestPersonReachesAgent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	stream := s.dial(t, agent, "echo")
	sent := noise(9 << 20)
	go func() {
		stream.Write(sent)
		stream.CloseWrite()
	}()
	got, err := io.ReadAll(stream)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("got %d of %d bytes: %v", len(got), len(sent), err)
	}
	if took, err := s.Ping(t.Context(), agent); err != nil || took <= 0 {
		t.Error("ping:", took, err)
	}
	stream.Close()
	<-stream.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.evidence) == 0 || s.evidence[0].Kind != "echo" || s.evidence[0].Agent != agent {
		t.Error("evidence:", s.evidence)
	}
}

// With TLS the web server also speaks HTTP/2, in which there is no upgrade to a
// websocket.
// What an agent said last is there for a reader who comes when the stream is long
// over.
func TestLastWordsAreRead(t *testing.T) {
	s := newSite(t)
	agent := newAgent()
	s.serve(t, agent, map[string]func(context.Context, *tunnel.Stream, string){"last": func(_ context.Context, s *tunnel.Stream, _ string) {
		fmt.Fprint(s, "last words")
	}})
	stream, err := s.Dial(t.Context(), agent, "actor", "last")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	<-stream.Done()
	time.Sleep(50 * time.Millisecond) // for whoever else waits for that
	if got, err := io.ReadAll(stream); string(got) != "last words" || err != nil {
		t.Errorf("read %q and %v", got, err)
	}
}

func TestOverTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	server := httptest.NewUnstartedServer(s.handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	d := tunnel.Dialer{HTTP: server.Client()}
	agent := newAgent()
	conn, err := d.DialLink(t.Context(), server.URL+"/link", bearer(agent))
	if err != nil {
		t.Fatal(err)
	}
	go tunnel.Serve(context.Background(), conn, tunnel.Handler{Streams: map[string]func(context.Context, *tunnel.Stream, string){"echo": echo}})
	for s.live(agent) == nil {
		time.Sleep(time.Millisecond)
	}
	stream, err := d.Dial(t.Context(), server.URL+"/"+string(agent)+"/streams", nil, newStream(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	sent := noise(5 << 20)
	go func() {
		stream.Write(sent)
		stream.CloseWrite()
	}()
	got, err := io.ReadAll(stream)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d of %d bytes: %v", len(got), len(sent), err)
	}
	stream.Close()
	<-stream.Done()
	s.CloseAgent(agent, "done")
}

func TestThisProcessReachesAgent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	raw, err := s.Open(t.Context(), agent, tunnel.Opening{ID: newStream(), Kind: "drain"})
	if err != nil {
		t.Fatal(err)
	}
	stream := tunnel.New(raw)
	stream.Write(noise(6 << 20))
	stream.CloseWrite()
	got, err := io.ReadAll(stream)
	if err != nil || string(got) != fmt.Sprint(6<<20) {
		t.Errorf("%q, %v", got, err)
	}
	stream.Close()
	<-stream.Done()
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	ctx := t.Context()
	open := func(agent berth.AgentID, stream, kind string, from int64) error {
		_, err := s.Open(ctx, agent, tunnel.Opening{ID: stream, Kind: kind, From: from})
		return err
	}
	taken := newStream()
	first, err := s.Open(ctx, agent, tunnel.Opening{ID: taken, Kind: "echo"})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, c := range []struct {
		name string
		err  error
		code berth.Code
	}{
		{"agent without a link", open(newAgent(), newStream(), "echo", 0), berth.Unavailable},
		{"unknown kind", open(agent, newStream(), "teleport", 0), berth.Invalid},
		{"not from the start", open(agent, newStream(), "echo", 7), berth.Conflict},
		{"stream that is no id", open(agent, "../bye", "echo", 0), berth.Invalid},
		{"stream that is open", open(agent, taken, "echo", 0), berth.Conflict},
	} {
		if !errors.Is(c.err, c.code) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	_, err = tunnel.Dial(ctx, s.url+"/"+string(newAgent())+"/streams", nil, newStream(), "echo")
	var h *tunnel.HandshakeError
	if !errors.As(err, &h) || h.Status != http.StatusTeapot || !bytes.Contains(h.Body, []byte("not connected")) {
		t.Errorf("dialing a stranger: %v", err)
	}
	_, err = tunnel.DialLink(ctx, s.url+"/link", http.Header{"Authorization": {"Bearer nonsense"}})
	if !errors.As(err, &h) || !bytes.Contains(h.Body, []byte("unauthenticated")) {
		t.Errorf("linking with a wrong token: %v", err)
	}
}

// Whoever hears of a link may use it, however soon.
func TestALinkThatIsToldOfCanBeUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	reached := make(chan error, 1)
	s.linking = func(agent berth.AgentID) {
		go func() {
			stream, err := s.Dial(t.Context(), agent, "", "echo")
			if err == nil {
				stream.Close()
			}
			reached <- err
		}()
		select {
		case err := <-reached:
			t.Errorf("it was not waited for: %v", err)
			reached <- err
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.link(t, newAgent())
	if err := <-reached; err != nil {
		t.Error(err)
	}
}

func TestOneAgentHasSoManyStreams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	for range tunnel.MaxStreams {
		c, err := s.Open(t.Context(), agent, tunnel.Opening{ID: newStream(), Kind: "echo"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if _, err := s.Open(t.Context(), agent, tunnel.Opening{ID: newStream(), Kind: "echo"}); !errors.Is(err, berth.Limit) {
		t.Error("one too many:", err)
	}
	if _, err := s.Ping(t.Context(), agent); err != nil {
		t.Error("ping beside them:", err)
	}
}

func TestSecondLinkDoesNotDisplaceALiveOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	s.link(t, agent)
	_, err := tunnel.DialLink(t.Context(), s.url+"/link", bearer(agent))
	var h *tunnel.HandshakeError
	if !errors.As(err, &h) || !bytes.Contains(h.Body, []byte("conflict")) {
		t.Fatal("second link:", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seconds) != 1 || !s.seconds[0].Refused || s.seconds[0].Old == s.seconds[0].New {
		t.Errorf("reported %+v", s.seconds)
	}
}

func TestSecondLinkReplacesADeadOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	// Linked, and then silent: nobody serves on it.
	conn, err := tunnel.DialLink(t.Context(), s.url+"/link", bearer(agent))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for s.live(agent) == nil {
		time.Sleep(time.Millisecond)
	}
	old := s.live(agent)
	done := make(chan error, 1)
	go func() {
		conn, err := tunnel.DialLink(t.Context(), s.url+"/link", bearer(agent))
		if err != nil {
			done <- err
			return
		}
		done <- nil
		tunnel.Serve(context.Background(), conn, tunnel.Handler{})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for l := s.live(agent); l == nil || l == old; l = s.live(agent) {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.Ping(t.Context(), agent); err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seconds) != 1 || s.seconds[0].Refused {
		t.Errorf("reported %+v", s.seconds)
	}
	if len(s.events) != 3 {
		t.Errorf("events %q", s.events)
	}
}

func TestRevocationEndsLinkAndStreams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	served := s.link(t, agent)
	stream := s.dial(t, agent, "echo")
	s.CloseAgent(agent, "the workspace was given to someone else")
	var bye *tunnel.Goodbye
	if err := <-served; !errors.As(err, &bye) || bye.Relink || bye.Reason != "the workspace was given to someone else" {
		t.Error("agent:", err)
	}
	bye = nil
	if _, err := stream.Read(make([]byte, 1)); !errors.As(err, &bye) || bye.Reason != "the workspace was given to someone else" {
		t.Error("person:", err)
	}
	if s.Linked() != 0 {
		t.Error("still linked")
	}
}

func TestClosingSendsAgentsElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var served []<-chan error
	for range 20 {
		served = append(served, s.link(t, newAgent()))
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, done := range served {
		var bye *tunnel.Goodbye
		if err := <-done; !errors.As(err, &bye) || !bye.Relink {
			t.Error(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) != 40 {
		t.Errorf("%d events: %q", len(s.events), s.events)
	}
}

func TestAgentsEndIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := newAgent()
	conn, err := tunnel.DialLink(t.Context(), s.url+"/link", bearer(agent))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	done := make(chan error)
	go func() {
		done <- tunnel.Serve(ctx, conn, tunnel.Handler{Streams: map[string]func(context.Context, *tunnel.Stream, string){
			"wait": func(ctx context.Context, s *tunnel.Stream, _ string) { close(started); <-ctx.Done() },
		}})
	}()
	for s.live(agent) == nil {
		time.Sleep(time.Millisecond)
	}
	stream := s.dial(t, agent, "wait")
	<-started
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var reset *tunnel.ResetError
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, tunnel.ErrLost) && !errors.As(err, &reset) {
		t.Error("person reads", err)
	}
	for s.Linked() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// dialing is a Dialer that shows its connection.
func dialing(show func(net.Conn)) tunnel.Dialer {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			show(c)
		}
		return c, err
	}}
	return tunnel.Dialer{HTTP: &http.Client{Transport: transport}}
}
