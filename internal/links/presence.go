package links

import (
	"context"
	"net"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// SeenEvery is how often signs of life are reported. An agent's last sign is
// at most this and tunnel.PingEvery old in what was reported, which is below
// berth.AgentDead.
const SeenEvery = 10 * time.Second

// Sign is an agent's last sign of life.
type Sign struct {
	Agent berth.AgentID
	At    time.Time
}

// start begins a link on conn, whose place is reserved and free.
func (r *Relay) start(id Identity, remote string, conn net.Conn) {
	t, err := tunnel.NewLink(conn)
	if err != nil {
		r.o.Log.Info("agent link did not start", "agent", id.Agent, "err", err)
		return
	}
	now := time.Now()
	if err := r.announce(id, now); err != nil {
		r.o.Log.Error("agent link could not be recorded", "agent", id.Agent, "err", err)
		t.Close()
		return
	}
	l := &link{Identity: id, tunnel: t, remote: remote, gone: make(chan struct{}), told: now}
	r.mu.Lock()
	if !r.closed {
		r.ending.Add(1)
	}
	late := r.closed
	r.links[id.Agent] = l
	r.mu.Unlock()
	if late { // Close has not seen it
		r.ended(l)
		t.Bye(r.ctx, tunnel.Goodbye{Reason: "the server restarts", Relink: true})
		return
	}
	go func() {
		defer r.ending.Done()
		<-t.Closed()
		r.ended(l)
	}()
}

func (r *Relay) announce(id Identity, now time.Time) error {
	if err := r.o.Directory.Linked(r.ctx, id.Agent, r.o.Name); err != nil {
		return err
	}
	if r.o.Linked == nil {
		return nil
	}
	if err := r.o.Linked(r.ctx, id, now); err != nil {
		r.o.Directory.Unlinked(r.ctx, id.Agent, r.o.Name)
		return err
	}
	return nil
}

// ended takes a link that has ended out of the books. The next one of its
// agent waits for it.
func (r *Relay) ended(l *link) {
	// Not r.ctx: the end is to be reported above all when the relay closes.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), 10*time.Second)
	defer cancel()
	r.mu.Lock()
	delete(r.links, l.Agent)
	r.mu.Unlock()
	defer close(l.gone)
	if err := r.o.Directory.Unlinked(ctx, l.Agent, r.o.Name); err != nil {
		r.o.Log.Warn("directory was not told of the end of a link", "agent", l.Agent, "err", err)
	}
	if r.o.Unlinked != nil {
		r.o.Unlinked(ctx, l.Identity, time.Now(), l.reason().Reason)
	}
}

// reportSigns reports signs of life until the relay closes.
func (r *Relay) reportSigns() {
	tick := time.NewTicker(SeenEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
		}
		if signs := r.signs(); len(signs) > 0 && r.o.Seen != nil {
			r.o.Seen(r.ctx, signs)
		}
	}
}

// signs collects what is new since its last call.
func (r *Relay) signs() []Sign {
	r.mu.Lock()
	defer r.mu.Unlock()
	var signs []Sign
	for id, l := range r.links {
		if seen := l.tunnel.Seen(); seen.After(l.told) {
			l.told = seen
			signs = append(signs, Sign{Agent: id, At: seen})
		}
	}
	return signs
}
