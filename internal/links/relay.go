package links

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// Identity is whom a link's token proves.
type Identity struct {
	Agent     berth.AgentID
	Workspace berth.WorkspaceID
	Token     []byte // SHA-256 of the token
}

// Options of a Relay. Auth is required; nil functions are not called.
type Options struct {
	// Auth finds the agent of a token; its error answers the agent.
	Auth func(ctx context.Context, token string) (Identity, error)
	// Linked is told of a new link before anything uses it; its error ends
	// the link again. Unlinked follows once it ended.
	Linked   func(ctx context.Context, id Identity, at time.Time) error
	Unlinked func(ctx context.Context, id Identity, at time.Time, reason string)
	// Seen is told every SeenEvery of all agents heard of since the last time.
	Seen func(ctx context.Context, signs []Sign)
	// Second is told of second links, to audit them.
	Second func(ctx context.Context, s Second)
	// Look reads an agent, to say why it is not linked.
	Look func(ctx context.Context, agent berth.AgentID) (berth.Agent, error)

	Name      string    // of this relay in the directory; "" will do for one alone
	Directory Directory // nil: a Memory
	Evidence  Reporter  // nil: nobody
	Log       *slog.Logger
}

// Relay is what agents link to and people reach them through. Its methods may
// be called at the same time from several goroutines.
type Relay struct {
	o      Options
	ctx    context.Context // ends with Close; of what outlives a request
	cancel context.CancelFunc
	ending sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	links   map[berth.AgentID]*link
	pending map[berth.AgentID]chan struct{} // closed when a link being made is made or not
}

// link is one agent's live link.
type link struct {
	Identity
	tunnel *tunnel.Link
	remote string
	gone   chan struct{} // closed when Unlinked has been told

	mu      sync.Mutex
	streams int
	bye     *tunnel.Goodbye // why we ended it; nil if we did not
	told    time.Time       // Seen, as last reported
}

// New makes a relay and starts its reports of presence. Close stops it.
func New(o Options) *Relay {
	if o.Directory == nil {
		o.Directory = NewMemory()
	}
	if o.Evidence == nil {
		o.Evidence = nobody{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Relay{o: o, links: map[berth.AgentID]*link{}, pending: map[berth.AgentID]chan struct{}{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.ending.Go(r.reportSigns)
	return r
}

// Linked counts the agents linked to this relay.
func (r *Relay) Linked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.links)
}

// Holds is whose links there are now.
func (r *Relay) Holds() []Identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Identity, 0, len(r.links))
	for _, l := range r.links {
		all = append(all, l.Identity)
	}
	return all
}

// CloseAgent ends an agent's link and all its streams, because it may not be
// linked any more. The agent does not try again by itself until it is started
// anew.
func (r *Relay) CloseAgent(agent berth.AgentID, reason string) {
	r.mu.Lock()
	for r.pending[agent] != nil { // allowed before, linked after: not to be missed
		made := r.pending[agent]
		r.mu.Unlock()
		<-made
		r.mu.Lock()
	}
	l := r.links[agent]
	r.mu.Unlock()
	if l != nil {
		l.end(tunnel.Goodbye{Reason: reason})
	}
}

// end says goodbye and waits until the link is gone, a second or two.
func (l *link) end(g tunnel.Goodbye) {
	l.mu.Lock()
	if l.bye == nil {
		l.bye = &g
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.tunnel.Bye(ctx, g)
	<-l.gone
}

// reason says why the link ended.
func (l *link) reason() tunnel.Goodbye {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bye != nil {
		return *l.bye
	}
	return tunnel.Goodbye{Reason: "the connection to the workspace was lost", Relink: true}
}

// Close refuses new links, tells all agents to link again at once (to another
// server, or to this one's successor) and ends their links. It returns when
// all of it is reported, or with ctx's error.
func (r *Relay) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	all := make([]*link, 0, len(r.links))
	for _, l := range r.links {
		all = append(all, l)
	}
	r.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wait sync.WaitGroup
		for _, l := range all {
			wait.Go(func() { l.end(tunnel.Goodbye{Reason: "the server restarts", Relink: true}) })
		}
		wait.Wait()
		r.cancel()
		r.ending.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		r.cancel()
		return ctx.Err()
	}
}
