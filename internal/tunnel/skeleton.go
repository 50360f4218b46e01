package tunnel

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// Stream is one byte stream: a net.Conn whose directions end separately.
type Stream struct{}

// New makes the stream that speaks frames over carrier, and owns carrier.
func New(carrier io.ReadWriteCloser) *Stream { panic("not yet") }

func (s *Stream) Read(p []byte) (int, error)         { panic("not yet") }
func (s *Stream) Write(p []byte) (int, error)        { panic("not yet") }
func (s *Stream) CloseWrite() error                  { panic("not yet") }
func (s *Stream) Close() error                       { panic("not yet") }
func (s *Stream) Reset(reason string)                { panic("not yet") }
func (s *Stream) Done() <-chan struct{}              { panic("not yet") } // closed when the carrier is finished with; a process about to exit waits for it
func (s *Stream) LocalAddr() net.Addr                { panic("not yet") }
func (s *Stream) RemoteAddr() net.Addr               { panic("not yet") }
func (s *Stream) SetDeadline(t time.Time) error      { panic("not yet") }
func (s *Stream) SetReadDeadline(t time.Time) error  { panic("not yet") }
func (s *Stream) SetWriteDeadline(t time.Time) error { panic("not yet") }

// Dialer opens websockets. The zero value works.
type Dialer struct {
	// HTTP makes the handshake; nil means http.DefaultClient's transport.
	HTTP *http.Client
}

// Dial opens a stream through a relay: url is http(s) or ws(s), without the
// query; id is a UUID of the caller's making, kind what the agent shall
// connect it to ("ssh").
func Dial(ctx context.Context, url string, header http.Header, id, kind string) (*Stream, error) {
	return Dialer{}.Dial(ctx, url, header, id, kind)
}

// DialLink opens an agent's connection to its relay, for Serve.
func DialLink(ctx context.Context, url string, header http.Header) (net.Conn, error) {
	return Dialer{}.DialLink(ctx, url, header)
}

func (d Dialer) Dial(ctx context.Context, url string, header http.Header, id, kind string) (*Stream, error) {
	panic("not yet")
}

func (d Dialer) DialLink(ctx context.Context, url string, header http.Header) (net.Conn, error) {
	panic("not yet")
}

// HandshakeError says that the other side answered something else than a
// websocket.
type HandshakeError struct {
	Status      int
	ContentType string
	Body        []byte // its first 64 KiB: a problem, as package api has it, when it is Berth that answered
}

func (e *HandshakeError) Error() string { panic("not yet") }

// Handler is what an agent offers on its link.
type Handler struct {
	// Streams maps a kind to the function that serves one stream of it. The
	// stream is closed when the function returns; ctx ends with the link.
	Streams map[string]func(ctx context.Context, s *Stream)
	// HTTP answers all other requests of the relay; may be nil.
	HTTP http.Handler
}

// Serve serves an agent's end of a link until it ends, and says why: a
// *Goodbye when the relay said so, ctx.Err(), or the carrier's error.
func Serve(ctx context.Context, carrier net.Conn, h Handler) error { panic("not yet") }

// Goodbye is how a relay ends a link.
type Goodbye struct {
	Reason string
	Relink bool // link again at once (the relay restarts); else the link is refused for good
}

func (g *Goodbye) Error() string { panic("not yet") }

// Link is a relay's end of an agent's link.
type Link struct{}

// NewLink starts speaking to the agent that serves on carrier, and owns carrier.
func NewLink(carrier net.Conn) (*Link, error) { panic("not yet") }

// Accept upgrades a request to a websocket that carries bytes.
func Accept(w http.ResponseWriter, r *http.Request) (net.Conn, error) { panic("not yet") }

func (l *Link) RoundTrip(r *http.Request) (*http.Response, error) { panic("not yet") }
func (l *Link) Ping(ctx context.Context) (time.Duration, error)   { panic("not yet") }
func (l *Link) Seen() time.Time                                   { panic("not yet") } // when the agent was last heard of
func (l *Link) Closed() <-chan struct{}                           { panic("not yet") }
func (l *Link) Close() error                                      { panic("not yet") }
func (l *Link) Bye(ctx context.Context, g Goodbye)                { panic("not yet") }
func (l *Link) Open(ctx context.Context, id, kind string, from int64, body io.Reader) (io.ReadCloser, error) {
	panic("not yet")
}
