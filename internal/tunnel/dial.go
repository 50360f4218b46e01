package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/coder/websocket"
)

// Dialer opens websockets. The zero value works.
type Dialer struct {
	// HTTP makes the handshakes; nil means http.DefaultClient.
	HTTP *http.Client
}

// Dial opens a stream through a relay. address is the http(s) or ws(s) URL of
// the agent's streams with the stream's id, without a query; kind is what the
// agent shall connect it to ("ssh"). An answer other than a websocket is a
// *HandshakeError.
func Dial(ctx context.Context, address string, header http.Header, id, kind string) (*Stream, error) {
	return Dialer{}.Dial(ctx, address, header, id, kind)
}

// DialLink opens an agent's connection to its relay, for Serve.
func DialLink(ctx context.Context, address string, header http.Header) (net.Conn, error) {
	return Dialer{}.DialLink(ctx, address, header)
}

// Dial is Dial with d's client. address ends in /streams, id is appended when
// it does.
func (d Dialer) Dial(ctx context.Context, address string, header http.Header, id, kind string) (*Stream, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading the address of a stream: %w", err)
	}
	if !strings.HasSuffix(u.Path, "/"+id) {
		u = u.JoinPath(id)
	}
	u.RawQuery = url.Values{"kind": {kind}, "from": {strconv.Itoa(0)}}.Encode()
	w, err := d.dial(ctx, u.String(), header)
	if err != nil {
		return nil, err
	}
	w.watch(PingEvery + dialerWaits)
	return New(wsStream{w}), nil
}

// DialLink is DialLink with d's client.
func (d Dialer) DialLink(ctx context.Context, address string, header http.Header) (net.Conn, error) {
	w, err := d.dial(ctx, address, header)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (d Dialer) dial(ctx context.Context, address string, header http.Header) (*wsConn, error) {
	client := http.Client{}
	if d.HTTP != nil {
		client = *d.HTTP
	}
	up := &upgrade{base: client.Transport}
	client.Transport = up
	w := &wsConn{local: noAddr{}, remote: noAddr{}}
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:      &client,
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { w.hear(); return true },
		OnPongReceived:  func(context.Context, []byte) { w.hear() },
	})
	if up.refused != nil {
		return nil, up.refused
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", address, err)
	}
	c.SetReadLimit(-1)
	w.c, w.raw = c, up.raw
	return w, nil
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
