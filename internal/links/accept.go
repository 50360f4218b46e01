package links

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// pingOld is how long a link may take to prove that it lives when a second one
// asks for its place. It is well above a bad network's round trip.
const pingOld = 5 * time.Second

// Second tells of a second link with the token of an agent that has one.
type Second struct {
	Identity
	Refused bool   // the first answered a ping and stays; else it was dead and is replaced
	Old     string // remote address of the link that was there
	New     string // remote address of the one that came
	At      time.Time
}

// ServeLink serves GET /api/v1/agent/link: it upgrades the request and keeps
// the link after it has returned. It returns an error, with nothing written,
// when it refuses the link, and nil once it has answered.
func (r *Relay) ServeLink(w http.ResponseWriter, req *http.Request) error {
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return berth.Errorf(berth.Unauthenticated, "The agent sent no token; start the workspace again.")
	}
	id, err := r.o.Auth(req.Context(), token)
	if err != nil {
		return err
	}
	leave, err := r.reserve(req.Context(), id.Agent)
	if err != nil {
		return err
	}
	defer leave()
	if err := r.makeRoom(req.Context(), id, req.RemoteAddr); err != nil {
		return err
	}
	conn, err := tunnel.Accept(w, req)
	if err != nil {
		r.o.Log.Debug("agent link was not a websocket", "agent", id.Agent, "err", err)
		return nil // answered
	}
	r.start(id, conn.RemoteAddr().String(), conn)
	return nil
}

// reserve makes sure that links of one agent are made one after the other.
func (r *Relay) reserve(ctx context.Context, agent berth.AgentID) (leave func(), err error) {
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, berth.Errorf(berth.Unavailable, "The server is about to restart; the agent tries again by itself.")
		}
		other := r.pending[agent]
		if other == nil {
			mine := make(chan struct{})
			r.pending[agent] = mine
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				delete(r.pending, agent)
				r.mu.Unlock()
				close(mine)
			}, nil
		}
		r.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// makeRoom ends the agent's former link if it is dead, and refuses the new one
// if it is alive.
func (r *Relay) makeRoom(ctx context.Context, id Identity, remote string) error {
	r.mu.Lock()
	old := r.links[id.Agent]
	r.mu.Unlock()
	if old == nil {
		return nil
	}
	s := Second{Identity: id, Old: old.remote, New: remote, At: time.Now()}
	pctx, cancel := context.WithTimeout(ctx, pingOld)
	defer cancel()
	if _, err := old.tunnel.Ping(pctx); err == nil {
		s.Refused = true
		r.second(ctx, s)
		return berth.Errorf(berth.Conflict, "This agent is linked already, from %s; a second process with its token was refused.", old.remote)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the newcomer left, which says nothing of the old one
	}
	old.tunnel.Close()
	<-old.gone
	r.second(ctx, s)
	return nil
}

// Alive tells whether an agent has a link here that answers a ping, and from
// where. It takes at most 5 s.
func (r *Relay) Alive(ctx context.Context, agent berth.AgentID) (remote string, alive bool) {
	r.mu.Lock()
	l := r.links[agent]
	r.mu.Unlock()
	if l == nil {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, pingOld)
	defer cancel()
	_, err := l.tunnel.Ping(ctx)
	return l.remote, err == nil
}

func (r *Relay) second(ctx context.Context, s Second) {
	r.o.Log.Info("second link of an agent", "agent", s.Agent, "refused", s.Refused, "old", s.Old, "new", s.New)
	if r.o.Second != nil {
		r.o.Second(ctx, s)
	}
}
