package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coder/websocket"
)

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
// is no error. It has a large buffer only while much is coming: most streams
// are idle most of the time.
func Copy(to io.Writer, from io.Reader) error {
	little := make([]byte, 2<<10)
	for {
		n, err := copyOnce(to, from, little)
		if err == nil && n == len(little) {
			err = copyMuch(to, from, len(little))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// copyMuch copies until less than enough comes at a time.
func copyMuch(to io.Writer, from io.Reader, enough int) error {
	c := chunks.Get().(chunk)
	defer chunks.Put(c)
	for {
		if n, err := copyOnce(to, from, c[:]); err != nil || n < enough {
			return err
		}
	}
}

func copyOnce(to io.Writer, from io.Reader, buf []byte) (int, error) {
	n, err := from.Read(buf)
	if n > 0 {
		if _, werr := to.Write(buf[:n]); werr != nil {
			return n, fmt.Errorf("%w: %w", ErrWrite, werr)
		}
	}
	return n, err
}
