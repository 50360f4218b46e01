package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
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
		// What came of a frame that was cut is as it was on the wire: masked, if a
		// client sent it, and so other bytes than it wrote.
		return 0, w.ended(err)
	}
	return n, nil
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
	case websocket.StatusPolicyViolation:
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
