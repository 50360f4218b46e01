package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// wsConn carries bytes over a websocket: each Write is one message, and the
// bounds of messages mean nothing. One reader and one writer at a time.
type wsConn struct {
	c             *websocket.Conn
	raw           *corked
	local, remote net.Addr
	message       io.Reader // what is left of the current message; nil between two

	heard     atomic.Int64 // when the peer was last heard of, Unix nanoseconds
	waiting   atomic.Int64 // since when Read waits; 0 while it does not
	silent    atomic.Bool  // the peer was given up
	unwatched atomic.Bool  // nobody watches, or no longer
	patience  time.Duration
	timer     *time.Timer // of watch; nil unless watched
}

// Close ends the connection at once.
func (w *wsConn) Close() error {
	w.unwatch()
	return w.c.CloseNow()
}

// Abort is Close.
func (w *wsConn) Abort() { w.Close() }

// say ends the connection with a close frame and waits, for some seconds at
// most, for the peer's.
func (w *wsConn) say(code websocket.StatusCode, reason string) error {
	w.unwatch()
	return w.c.Close(code, reason[:min(len(reason), 120)])
}

func (w *wsConn) Read(p []byte) (n int, err error) {
	w.waiting.Store(time.Now().UnixNano())
	n, err = w.read(p)
	now := time.Now().UnixNano()
	w.waiting.Store(0)
	w.heard.Store(now)
	return n, err
}

func (w *wsConn) read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if w.message == nil {
			if _, w.message, err = w.c.Reader(context.Background()); err != nil {
				return 0, w.ended(err)
			}
		}
		if n, err = w.message.Read(p); err == io.EOF {
			w.message, err = nil, nil
		}
	}
	if err != nil {
		err = w.ended(err)
	}
	return n, err
}

// ended says how the connection ended: io.EOF when the peer has said all it
// wanted, a *Goodbye when a relay gave a reason.
func (w *wsConn) ended(err error) error {
	w.unwatch()
	if w.silent.Load() {
		return errSilent
	}
	var c websocket.CloseError
	if !errors.As(err, &c) {
		return err
	}
	switch c.Code {
	case websocket.StatusNormalClosure:
		return io.EOF
	case websocket.StatusGoingAway:
		return &Goodbye{Reason: c.Reason, Relink: true}
	case websocket.StatusPolicyViolation, websocket.StatusInternalError:
		return &Goodbye{Reason: c.Reason}
	default:
		return err
	}
}

var errSilent = errors.New("the other side is silent")

func (w *wsConn) Write(p []byte) (int, error) {
	w.raw.cork()
	err := w.c.Write(context.Background(), websocket.MessageBinary, p)
	if ferr := w.raw.uncork(); err == nil {
		err = ferr
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *wsConn) LocalAddr() net.Addr  { return w.local }
func (w *wsConn) RemoteAddr() net.Addr { return w.remote }

// Deadlines are what streams and HTTP/2 do above; here there are none.
func (w *wsConn) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (w *wsConn) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (w *wsConn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// wsStream is a wsConn that carries frames of one stream: it is closed with a
// handshake, so that nothing on the way is lost.
type wsStream struct{ *wsConn }

func (w wsStream) Close() error { return w.say(websocket.StatusNormalClosure, "") }

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

// corked gathers what is written between cork and uncork, so that the many
// small writes of a websocket message are one of the operating system's.
type corked struct {
	io.ReadWriteCloser
	early []byte // bytes read ahead by someone else, to be read first

	mu  sync.Mutex
	on  bool
	buf *[corkSize]byte // pooled; nil while there is nothing in it
	n   int
}

// corkSize holds the largest frame with the headers of HTTP/2 and websocket.
const corkSize = frameSize + 1<<10

var corks = sync.Pool{New: func() any { return new([corkSize]byte) }}

func (c *corked) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.ReadWriteCloser.Read(p)
}

func (c *corked) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n+len(p) > corkSize {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	if !c.on || len(p) > corkSize {
		return c.ReadWriteCloser.Write(p)
	}
	if c.buf == nil {
		c.buf = corks.Get().(*[corkSize]byte)
	}
	c.n += copy(c.buf[c.n:], p)
	return len(p), nil
}

func (c *corked) cork() {
	c.mu.Lock()
	c.on = true
	c.mu.Unlock()
}

func (c *corked) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = false
	return c.flush()
}

// flush writes what was gathered. c.mu is held.
func (c *corked) flush() error {
	if c.buf == nil {
		return nil
	}
	buf, n := c.buf, c.n
	c.buf, c.n = nil, 0
	defer corks.Put(buf)
	_, err := c.ReadWriteCloser.Write(buf[:n])
	return err
}

// Person is a relay's end of a person's websocket, which carries frames of one
// stream.
type Person struct{ w *wsConn }

// AcceptStream upgrades a request to a Person, and watches that it lives: a
// silent one is given up, which its Read tells. On an error it has answered
// the request.
func AcceptStream(rw http.ResponseWriter, r *http.Request) (*Person, error) {
	w, err := accept(rw, r)
	if err != nil {
		return nil, err
	}
	w.watch(PingEvery)
	return &Person{w}, nil
}

func (p *Person) Read(b []byte) (int, error)  { return p.w.Read(b) }
func (p *Person) Write(b []byte) (int, error) { return p.w.Write(b) }

// Close ends the websocket after all that was written; Bye also says why;
// Abort waits for nothing. Somebody must be reading for the first two.
func (p *Person) Close() error { return p.w.say(websocket.StatusNormalClosure, "") }
func (p *Person) Abort()       { p.w.Abort() }
func (p *Person) Bye(g Goodbye) error {
	if g.Relink {
		return p.w.say(websocket.StatusGoingAway, g.Reason)
	}
	return p.w.say(websocket.StatusPolicyViolation, g.Reason)
}

// ErrWrite is in the chain of Copy's error when it was the writer's.
var ErrWrite = errors.New("the writer failed")

// Copy moves frames from an agent to a person until the agent ends them, which
// is no error.
func Copy(to io.Writer, from io.Reader) error {
	c := chunks.Get().(chunk)
	defer chunks.Put(c)
	for {
		n, err := from.Read(c[:])
		if n > 0 {
			if _, werr := to.Write(c[:n]); werr != nil {
				return fmt.Errorf("%w: %w", ErrWrite, werr)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
