package links

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// afterPerson is how long an agent may take to end a stream whose person is
// gone; it is above the linger of a stream.
const afterPerson = 10 * time.Second

// ServeStream serves a person's websocket of one stream, or one of the several
// that carry it in turn, until it ends, or admitted does: then the person is told
// its cause, and that they need not try again. Who may open it was decided by
// the caller, who names the actor; the agent sees to it that nobody else resumes
// it. It returns an error, with nothing written, when the stream cannot be
// opened.
func (r *Relay) ServeStream(admitted context.Context, w http.ResponseWriter, req *http.Request, agent berth.AgentID, o tunnel.Opening) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context())) // it ends when the request is hijacked
	defer cancel()
	opening := context.AfterFunc(req.Context(), cancel)
	p := &person{begun: make(chan struct{}), cancel: cancel}
	defer p.begin(nil, nil)
	c, err := r.open(ctx, agent, o, p)
	if err != nil {
		return err
	}
	defer c.Close()
	c.person = true
	opening()
	c.Introduce(w.Header())
	ws, err := tunnel.AcceptStream(w, req)
	if err != nil {
		r.o.Log.Debug("stream was not a websocket", "agent", agent, "err", err)
		return nil // answered
	}
	p.begin(ws, c)
	defer context.AfterFunc(admitted, func() {
		ws.Bye(tunnel.Goodbye{Reason: berth.ErrorMessage(context.Cause(admitted))})
		cancel() // the agent may have nothing to say, and would not notice
	})()
	switch err = tunnel.Copy(ws, c); {
	case err == nil:
		ws.Close()
	case errors.Is(err, tunnel.ErrWrite):
		ws.Abort()
	default:
		ws.Bye(c.link.reason())
	}
	return nil
}

// person is the body of a stream's request: what the person's websocket sends,
// once there is one. Its end is told to the agent as an end, and not as an
// abort, so that what came before arrives.
type person struct {
	once   sync.Once
	begun  chan struct{} // closed when ws is set, or never will be
	ws     *tunnel.Person
	agent  *carrier
	cancel context.CancelFunc
}

func (p *person) begin(ws *tunnel.Person, agent *carrier) {
	p.once.Do(func() {
		p.ws, p.agent = ws, agent
		close(p.begun)
	})
}

func (p *person) Read(b []byte) (int, error) {
	<-p.begun
	if p.ws == nil {
		return 0, io.EOF
	}
	n, err := p.ws.Read(b)
	p.agent.towards(n)
	if err != nil {
		time.AfterFunc(afterPerson, p.cancel)
		err = io.EOF
	}
	return n, err
}

// Close ends a Read that waits when the link is lost. In all other cases what
// the agent sent last may still be on its way to the person; ServeStream ends
// the websocket behind it.
func (p *person) Close() error {
	select {
	case <-p.begun:
	default:
		p.begin(nil, nil)
	}
	if p.ws != nil && p.agent.link.tunnel.Lost() {
		p.ws.Bye(p.agent.link.reason())
	}
	return nil
}
