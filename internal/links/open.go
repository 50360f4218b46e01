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

// Ping measures the way to an agent and back.
func (r *Relay) Ping(ctx context.Context, agent berth.AgentID) (time.Duration, error) {
	l, err := r.find(ctx, agent)
	if err != nil {
		return 0, err
	}
	took, err := l.tunnel.Ping(ctx)
	if err != nil {
		return 0, r.broken(l, err)
	}
	return took, nil
}

// Call makes a request to an agent: its URL's path and query say what for, the
// host of the URL is ignored.
func (r *Relay) Call(agent berth.AgentID, req *http.Request) (*http.Response, error) {
	l, err := r.find(req.Context(), agent)
	if err != nil {
		return nil, err
	}
	resp, err := l.tunnel.RoundTrip(req)
	if err != nil {
		return nil, r.broken(l, err)
	}
	return resp, nil
}

// Open opens a stream of an agent from this process. What it returns carries
// frames: tunnel.New makes a connection of it, see Dial. It ends with ctx.
func (r *Relay) Open(ctx context.Context, agent berth.AgentID, o tunnel.Opening) (io.ReadWriteCloser, error) {
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	c, err := r.open(ctx, agent, o, out)
	if err != nil {
		cancel()
		out.Close()
		return nil, err
	}
	return &opened{carrier: c, in: in, cancel: cancel}, nil
}

// opened is a stream of this process: what is written to it goes to the agent.
type opened struct {
	*carrier
	in     *io.PipeWriter
	cancel context.CancelFunc
}

func (o *opened) Write(p []byte) (int, error) {
	n, err := o.in.Write(p)
	o.towards(n)
	return n, err
}

// Close ends what the agent reads, and gives it a moment to end its side.
func (o *opened) Close() error {
	o.in.Close()
	return o.carrier.Close()
}

// Abort ends both at once.
func (o *opened) Abort() {
	o.in.CloseWithError(io.ErrClosedPipe)
	o.cancel()
	o.carrier.Close()
}

// carrier is the agent's half of a stream: what comes from it. Its Close ends
// the stream.
type carrier struct {
	*tunnel.Incoming
	*counter
	link *link
	once sync.Once
}

func (c *carrier) Read(p []byte) (int, error) {
	n, err := c.Incoming.Read(p)
	c.from(n)
	return n, err
}

func (c *carrier) Close() error {
	c.once.Do(func() {
		c.link.leave()
		c.stop()
	})
	return c.Incoming.Close()
}

// open opens a stream, or a new carrier of one, whose frames towards the agent are read from body.
func (r *Relay) open(ctx context.Context, agent berth.AgentID, o tunnel.Opening, body io.ReadCloser) (*carrier, error) {
	if !berth.IsID(o.ID) {
		return nil, berth.InvalidField("stream", "The id of a stream is a UUID in lower case.")
	}
	l, err := r.find(ctx, agent)
	if err != nil {
		return nil, err
	}
	if !l.enter() {
		return nil, berth.Errorf(berth.Limit, "This agent serves %d connections already; close some of them.", tunnel.MaxStreams)
	}
	in, err := l.tunnel.Open(ctx, o, body)
	if err != nil {
		l.leave()
		return nil, r.refused(l, o.Kind, err)
	}
	return &carrier{Incoming: in, link: l, counter: r.count(l.Identity, o.ID, o.Kind)}, nil
}

func (l *link) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams >= tunnel.MaxStreams {
		return false
	}
	l.streams++
	return true
}

func (l *link) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams--
}

// refused says why an agent did not open a stream. What the agent says is not
// repeated: it is a stranger's text.
func (r *Relay) refused(l *link, kind string, err error) error {
	var s *tunnel.StatusError
	if !errors.As(err, &s) {
		return r.broken(l, err)
	}
	r.o.Log.Info("agent refused a stream", "agent", l.Agent, "kind", kind, "status", s.Status, "message", s.Message)
	switch s.Status {
	case http.StatusNotFound:
		return berth.InvalidField("kind", "the workspace's agent knows no connections of this kind; restart the workspace to get this server's agent")
	case http.StatusGone:
		return &berth.Error{Code: berth.Conflict, Field: "from", Message: "the workspace's agent no longer has this connection: the agent restarted, or the connection was away for too long; open a new one", Err: err}
	case http.StatusConflict:
		return &berth.Error{Code: berth.Conflict, Field: "stream", Message: "A connection with this id is open already, or a newer one goes on with it; open one with a new id.", Err: err}
	default:
		return &berth.Error{Code: berth.Unavailable, Message: "the workspace's agent refused the connection", Err: err}
	}
}

func (r *Relay) broken(l *link, err error) error {
	return &berth.Error{Code: berth.Unavailable, Err: err,
		Message: "the workspace's agent does not answer (last heard of " + ago(time.Since(l.tunnel.Seen())) + "); try again in half a minute"}
}

// find finds the agent's link, or says why there is none. A link that is just
// being made is waited for: everybody may have been told of it already.
func (r *Relay) find(ctx context.Context, agent berth.AgentID) (*link, error) {
	r.mu.Lock()
	l, coming := r.links[agent], r.pending[agent]
	r.mu.Unlock()
	if l == nil && coming != nil {
		select {
		case <-coming:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		r.mu.Lock()
		l = r.links[agent]
		r.mu.Unlock()
	}
	if l != nil {
		return l, nil
	}
	relay, ok, err := r.o.Directory.Where(ctx, agent)
	if err != nil {
		return nil, err
	}
	if ok && relay != r.o.Name {
		return nil, berth.Errorf(berth.Unavailable, "the workspace's agent is linked to another server (%s), which this one cannot reach; try again there", relay)
	}
	return nil, r.unlinked(ctx, agent)
}

func (r *Relay) unlinked(ctx context.Context, agent berth.AgentID) error {
	const plain = "the workspace's agent is not connected"
	if r.o.Look == nil {
		return berth.Errorf(berth.Unavailable, plain)
	}
	a, err := r.o.Look(ctx, agent)
	if err != nil {
		return err
	}
	switch now := time.Now(); {
	case a.ConnectedAt.IsZero() && a.Status(now) == berth.AgentConnectTimeout:
		return berth.Errorf(berth.Unavailable, "the workspace's agent has not connected since it was made %s; see its log, or restart the workspace", ago(now.Sub(a.CreatedAt)))
	case a.ConnectedAt.IsZero() && a.Outside && a.Trouble == nil:
		return berth.Errorf(berth.Unavailable, "the workspace's agent waits for its owner to start it: berth external-agent tells them how")
	case a.ConnectedAt.IsZero():
		return berth.Errorf(berth.Unavailable, "the workspace's agent is still connecting (made %s); try again in a moment", ago(now.Sub(a.CreatedAt)))
	case a.Disconnected.IsZero():
		return berth.Errorf(berth.Unavailable, "the workspace's agent was last heard of %s; it is expected back in a moment", ago(now.Sub(a.SeenAt)))
	default:
		return berth.Errorf(berth.Unavailable, "the workspace's agent disconnected %s; if it does not come back, restart the workspace", ago(now.Sub(a.Disconnected)))
	}
}

// ago says how long ago something was, in words short enough for a sentence.
func ago(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}
	return d.Round(time.Second).String() + " ago"
}
