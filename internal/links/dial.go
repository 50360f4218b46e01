package links

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

// Dial opens a stream of a kind ("tcp:8080") to an agent from this process, in
// the name of actor, a user's id, who was found to be allowed to. ctx bounds
// the opening, not the stream, which ends with its Close and with the link: a
// stream of this process does not resume.
func (r *Relay) Dial(ctx context.Context, agent berth.AgentID, actor, kind string) (*tunnel.Stream, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	opening := context.AfterFunc(ctx, cancel)
	c, err := r.Open(life, agent, tunnel.Opening{ID: string(berth.NewID[tunnel.Stream]()), Kind: kind, Actor: actor})
	if !opening() && err == nil {
		c.Close()
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	s := tunnel.New(c)
	go func() { <-s.Done(); cancel() }() // what it brought is still to be read
	return s, nil
}
