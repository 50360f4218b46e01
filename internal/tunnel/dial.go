package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

// Dialer opens websockets. The zero value works.
type Dialer struct {
	// HTTP makes the handshakes; nil means http.DefaultClient.
	HTTP *http.Client
}

// Dial opens a stream through a relay, which ends with its connection. address
// is the http(s) or ws(s) URL of the agent's streams with or without the
// stream's id, without a query; kind is what the agent shall connect it to
// ("ssh"). An answer other than a websocket is a *HandshakeError.
func Dial(ctx context.Context, address string, header http.Header, id, kind string) (*Stream, error) {
	return Dialer{}.Dial(ctx, address, header, id, kind)
}

// DialLink opens an agent's connection to its relay, for Serve.
func DialLink(ctx context.Context, address string, header http.Header) (net.Conn, error) {
	return Dialer{}.DialLink(ctx, address, header)
}

// Dial is Dial with d's client.
func (d Dialer) Dial(ctx context.Context, address string, header http.Header, id, kind string) (*Stream, error) {
	w, _, err := d.open(ctx, address, header, Opening{ID: id, Kind: kind})
	if err != nil {
		return nil, err
	}
	return New(w), nil
}

// open opens a carrier of a stream.
func (d Dialer) open(ctx context.Context, address string, header http.Header, o Opening) (io.ReadWriteCloser, http.Header, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the address of a stream: %w", err)
	}
	if !strings.HasSuffix(u.Path, "/"+o.ID) {
		u = u.JoinPath(o.ID)
	}
	u.RawQuery = o.query()
	w, answer, err := d.dial(ctx, u.String(), header)
	if err != nil {
		return nil, nil, err
	}
	w.watch(PingEvery + dialerWaits)
	return wsStream{w}, answer, nil
}

// DialLink is DialLink with d's client.
func (d Dialer) DialLink(ctx context.Context, address string, header http.Header) (net.Conn, error) {
	w, _, err := d.dial(ctx, address, header)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (d Dialer) dial(ctx context.Context, address string, header http.Header) (*wsConn, http.Header, error) {
	client := http.Client{}
	if d.HTTP != nil {
		client = *d.HTTP
	}
	up := &upgrade{base: client.Transport}
	client.Transport = up
	w := &wsConn{local: noAddr{}, remote: noAddr{}}
	c, answer, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:      &client,
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { w.hear(); return true },
		OnPongReceived:  func(context.Context, []byte) { w.hear() },
	})
	if up.refused != nil {
		return nil, nil, up.refused
	}
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	c.SetReadLimit(-1)
	w.c, w.raw = c, up.raw
	return w, answer.Header, nil
}

// upgrade makes one handshake: it corks the connection that comes out of it,
// or keeps the refusal.
type upgrade struct {
	base    http.RoundTripper
	raw     *corked
	refused *HandshakeError
}

func (u *upgrade) RoundTrip(r *http.Request) (*http.Response, error) {
	base := u.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if conn, ok := resp.Body.(io.ReadWriteCloser); ok && resp.StatusCode == http.StatusSwitchingProtocols {
		u.raw = &corked{ReadWriteCloser: conn}
		resp.Body = u.raw
		return resp, nil
	}
	if resp.StatusCode < 300 || resp.StatusCode >= 400 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		u.refused = &HandshakeError{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: body}
	}
	return resp, nil
}

// HandshakeError says that the other side answered something else than a
// websocket.
type HandshakeError struct {
	Status      int
	ContentType string
	Body        []byte // its first 64 KiB: an api.Problem when it is Berth that answered
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the server answered %d %s where a websocket was asked for", e.Status, http.StatusText(e.Status))
}
