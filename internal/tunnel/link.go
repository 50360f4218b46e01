package tunnel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// linkBuffer is what one link's agent can make its relay hold, in bytes, when
// it sends much to people who do not take it.
const linkBuffer = 16 * Window

// openWait is how long an agent may take to accept a stream.
const openWait = 15 * time.Second

// transport is shared by all links: it keeps no connection of its own.
var transport = newTransport()

func newTransport() *http2.Transport {
	t, err := http2.ConfigureTransports(&http.Transport{HTTP2: &http.HTTP2Config{
		MaxReceiveBufferPerStream:     Window,
		MaxReceiveBufferPerConnection: linkBuffer,
	}})
	if err != nil {
		panic(err) // it only fails for a transport that has HTTP/2 already
	}
	t.AllowHTTP = true
	t.DisableCompression = true
	t.MaxReadFrameSize = maxData
	t.MaxHeaderListSize = maxHeader
	t.StrictMaxConcurrentStreams = true
	t.ReadIdleTimeout = PingEvery
	t.PingTimeout = pingWait
	return t
}

// Link is a relay's end of an agent's link. Its methods may be called at the
// same time from several goroutines.
type Link struct {
	cc   *http2.ClientConn
	conn *watched
}

// NewLink starts speaking to the agent that serves on carrier, and owns
// carrier. Carrier's Close must not wait for the peer.
func NewLink(carrier net.Conn) (*Link, error) {
	conn := &watched{Conn: carrier, closed: make(chan struct{})}
	conn.seen.Store(time.Now().UnixNano())
	cc, err := transport.NewClientConn(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("starting a link: %w", err)
	}
	return &Link{cc: cc, conn: conn}, nil
}

// RoundTrip calls a handler of the agent.
func (l *Link) RoundTrip(r *http.Request) (*http.Response, error) { return l.cc.RoundTrip(r) }

// Ping measures the way to the agent and back. It is answered by the agent's
// process, not by the network in between.
func (l *Link) Ping(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := l.cc.Ping(ctx); err != nil {
		return 0, fmt.Errorf("pinging the agent: %w", err)
	}
	return time.Since(start), nil
}

// Seen is when the agent was last heard of. While the link lives this is at
// most PingEvery and a round trip ago.
func (l *Link) Seen() time.Time { return time.Unix(0, l.conn.seen.Load()) }

// Closed is closed when the link has ended, for whatever reason.
func (l *Link) Closed() <-chan struct{} { return l.conn.closed }

// Close ends the link and everything on it.
func (l *Link) Close() error {
	err := l.cc.Close()
	l.conn.Close()
	return err
}

// Bye tells the agent why, as far as it listens before ctx ends, and closes
// the link.
func (l *Link) Bye(ctx context.Context, g Goodbye) {
	defer l.Close()
	body, err := json.Marshal(g)
	if err != nil {
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/bye", bytes.NewReader(body))
	if err != nil {
		return
	}
	if resp, err := l.RoundTrip(r); err == nil {
		resp.Body.Close()
	}
}

// StatusError is an agent's refusal to open a stream.
type StatusError struct {
	Status  int
	Message string // the agent's; not to be trusted
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the agent answered %d: %s", e.Status, e.Message)
}

// Open opens a stream, or a new carrier of one: it sends the frames that it reads from body, and gives
// those of the agent. The stream ends with ctx, with the result's Close, or
// when the agent has ended it, which is the result's io.EOF. Then, and when
// the link is lost, body is closed, which must end a Read that waits, except
// that after the first two it may end later. No error is returned before body
// is closed, or about to be.
func (l *Link) Open(ctx context.Context, o Opening, body io.ReadCloser) (*Incoming, error) {
	ctx, cancel := context.WithCancel(ctx)
	u := url.URL{Scheme: "http", Host: "agent", Path: "/streams/" + o.ID, RawQuery: o.query()}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	r.Header.Set(headerActor, o.Actor)
	late := time.AfterFunc(openWait, cancel)
	resp, err := l.RoundTrip(r)
	if err == nil && !late.Stop() {
		resp.Body.Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		late.Stop()
		cancel()
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		cancel()
		resp.Body.Close()
		return nil, &StatusError{Status: resp.StatusCode, Message: strings.TrimSpace(string(text))}
	}
	return &Incoming{resp.Body, resp.Header.Get(headerReceived), cancel}, nil
}

// Incoming is what an agent sends on a stream. Without cancel, Close would wait
// for the other half's Read.
type Incoming struct {
	io.ReadCloser
	received string
	cancel   context.CancelFunc
}

func (i *Incoming) Close() error {
	i.cancel()
	return i.ReadCloser.Close()
}

// Introduce puts what the agent said of the stream into an answer's header.
func (i *Incoming) Introduce(h http.Header) {
	if i.received != "" {
		h.Set(headerReceived, i.received)
	}
}

// Lost tells that nothing on the link goes on. It is true before any stream's
// body is closed for that reason.
func (l *Link) Lost() bool { return l.cc.State().Closed }

// watched notices when its connection is read from and closed.
type watched struct {
	net.Conn
	seen   atomic.Int64 // Unix nanoseconds
	once   sync.Once
	closed chan struct{}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.seen.Store(time.Now().UnixNano())
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.Conn.Close()
	w.once.Do(func() { close(w.closed) })
	return err
}
