package tunnel

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// Accept upgrades a request to a websocket that carries bytes, for NewLink. On
// an error it has answered the request.
func Accept(rw http.ResponseWriter, r *http.Request) (net.Conn, error) {
	w, err := accept(rw, r)
	if err != nil {
		return nil, err // not w: a nil *wsConn is not a nil net.Conn
	}
	return w, nil
}

func accept(rw http.ResponseWriter, r *http.Request) (*wsConn, error) {
	w := &wsConn{local: noAddr{}, remote: noAddr{}}
	taken := &hijacker{ResponseWriter: rw}
	c, err := websocket.Accept(taken, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { w.hear(); return true },
		OnPongReceived:  func(context.Context, []byte) { w.hear() },
	})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	w.c, w.raw = c, taken.raw
	w.local, w.remote = taken.conn.LocalAddr(), taken.conn.RemoteAddr()
	return w, nil
}

// hijacker gives the websocket library a connection that can be corked, and
// small buffers, since there is one of these for each agent.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
	raw  *corked
}

func (h *hijacker) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	h.conn = conn
	h.raw = &corked{ReadWriteCloser: conn, early: append([]byte(nil), early...)}
	c := struct {
		*corked
		addresses
	}{h.raw, addresses{conn}}
	return c, bufio.NewReadWriter(bufio.NewReaderSize(c, 2<<10), bufio.NewWriterSize(c, 256)), nil
}

// addresses is what is left of a net.Conn without its reading and writing.
type addresses struct{ c net.Conn }

func (a addresses) LocalAddr() net.Addr                { return a.c.LocalAddr() }
func (a addresses) RemoteAddr() net.Addr               { return a.c.RemoteAddr() }
func (a addresses) SetDeadline(t time.Time) error      { return a.c.SetDeadline(t) }
func (a addresses) SetReadDeadline(t time.Time) error  { return a.c.SetReadDeadline(t) }
func (a addresses) SetWriteDeadline(t time.Time) error { return a.c.SetWriteDeadline(t) }
