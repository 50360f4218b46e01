// Package links knows which agent is linked to which relay, and reaches it.
package links

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/berthdev/berth"
)

// Identity is whom a link's token proves.
type Identity struct {
	Agent     berth.AgentID
	Workspace berth.WorkspaceID
}

// Sign is an agent's last sign of life.
type Sign struct {
	Agent berth.AgentID
	At    time.Time
}

// Second tells of a second link with the token of an agent that has one.
type Second struct {
	Identity
	Refused bool   // the live one answered a ping and stays; else it was dead and is replaced
	Old     string // remote address of the link that was there
	New     string // remote address of the one that came
	At      time.Time
}

// Options of a Relay. Auth is required, the others may be nil.
type Options struct {
	// Auth finds the agent of a token; its error goes to the agent.
	Auth func(ctx context.Context, token string) (Identity, error)
	// Linked, Unlinked and Seen keep the agents' presence. Linked's error
	// refuses the link. Seen comes every 10 s, for all agents heard of since.
	Linked   func(ctx context.Context, id Identity, at time.Time) error
	Unlinked func(ctx context.Context, id Identity, at time.Time, reason string)
	Seen     func(ctx context.Context, signs []Sign)
	// Second is told of second links, to audit them.
	Second func(ctx context.Context, s Second)
	// Look reads an agent, to say why it is not linked.
	Look func(ctx context.Context, agent berth.AgentID) (berth.Agent, error)

	Directory Directory // nil: in this process
	Evidence  Reporter  // nil: nobody
	Log       *slog.Logger
}

// Relay is what agents link to and people reach them through.
type Relay struct{}

func New(o Options) *Relay { panic("not yet") }

// ServeLink serves GET /api/v1/agent/link until the link ends. It returns an
// error, with nothing written, when it refuses the link.
func (r *Relay) ServeLink(w http.ResponseWriter, req *http.Request) error { panic("not yet") }

// ServeStream serves a person's websocket of one stream until it ends. Who may
// open it was decided by the caller. It returns an error, with nothing
// written, when the stream cannot be opened.
func (r *Relay) ServeStream(w http.ResponseWriter, req *http.Request, agent berth.AgentID, stream, kind string, from int64) error {
	panic("not yet")
}

// Open opens a stream of an agent from this process: what it returns carries
// frames, see tunnel.New.
func (r *Relay) Open(ctx context.Context, agent berth.AgentID, stream, kind string, from int64) (io.ReadWriteCloser, error) {
	panic("not yet")
}

// Ping measures the way to an agent and back.
func (r *Relay) Ping(ctx context.Context, agent berth.AgentID) (time.Duration, error) {
	panic("not yet")
}

// CloseAgent ends an agent's link and its streams for good.
func (r *Relay) CloseAgent(agent berth.AgentID, reason string) { panic("not yet") }

// Linked counts the agents linked to this relay.
func (r *Relay) Linked() int { panic("not yet") }

// Close tells all agents to link again at once, elsewhere or here, and ends
// their links. New ones are refused.
func (r *Relay) Close(ctx context.Context) error { panic("not yet") }

// Directory says which relay holds an agent's link.
type Directory interface {
	Linked(ctx context.Context, agent berth.AgentID, relay string) error
	Unlinked(ctx context.Context, agent berth.AgentID, relay string) error
	Where(ctx context.Context, agent berth.AgentID) (relay string, err error) // "" when nowhere
}

// Evidence is what a relay saw of one stream since it last reported it.
type Evidence struct {
	Agent  berth.AgentID
	Stream string
	Kind   string
	Typed  int64 // bytes towards the agent
	Shown  int64 // bytes towards the person
	At     time.Time
}

// Reporter is told of evidence of use.
type Reporter interface{ Report(e Evidence) }
