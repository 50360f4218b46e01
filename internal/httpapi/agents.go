package httpapi

import (
	"context"
	"net/http"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
	"github.com/berthdev/berth/internal/workspaces"
)

type AgentInput struct {
	WorkspaceInput
	Agent string `path:"agent" doc:"Name; -: the only one"`
}

type agentLogsInput struct {
	AgentInput
	Lines
}

func (h *handlers) agentLogs(ctx context.Context, in *agentLogsInput) (*body[api.Logs], error) {
	got, next, err := h.Workspaces.AgentLogs(ctx, actorOf(ctx), in.id(), in.Agent, in.After, in.Limit)
	return answered(api.Logs{Lines: list(got, same), Next: next}, err)
}

func (h *handlers) pingAgent(ctx context.Context, in *AgentInput) (*body[api.Ping], error) {
	a, err := h.Workspaces.ResolveAgent(ctx, actorOf(ctx), in.id(), in.Agent)
	if err != nil {
		return nil, err
	}
	took, err := h.Relay.Ping(ctx, a.ID)
	return answered(api.Ping{Micros: took.Microseconds()}, err)
}

func (h *handlers) rotateAgentKey(ctx context.Context, in *WorkspaceInput) (*body[api.RotatedKey], error) {
	waits, err := h.Workspaces.RotateAgentKey(ctx, actorOf(ctx), in.id())
	return answered(api.RotatedKey{Waits: waits}, err)
}

// openStream hands a person's websocket to the relay.
func (h *handlers) openStream(w http.ResponseWriter, r *http.Request) error {
	o, err := tunnel.ReadOpening(r.URL.Query())
	if err != nil {
		return berth.Errorf(berth.Invalid, "%v", err)
	}
	ctx := r.Context()
	actor := actorOf(ctx)
	o.ID, o.Actor = r.PathValue("stream"), string(actor.UserID)
	if !berth.IsID(o.ID) {
		return berth.InvalidField("stream", "%q is not a UUID", o.ID)
	}
	if o.Kind == "" {
		return berth.InvalidField("kind", "say what to connect the stream to: kind=ssh")
	}
	a, err := h.Workspaces.ResolveAgent(ctx, actor, berth.WorkspaceID(r.PathValue("workspace")), r.PathValue("agent"))
	if err != nil {
		return err
	}
	admitted, leave := h.admitted(ctx, r.PathValue("workspace"))
	defer leave()
	var left func(why string)
	out := &switching{w, func() { left = h.connected(ctx, a, through(o.Kind), o.ID) }}
	err = h.Relay.ServeStream(admitted, out, r, a.ID, o)
	if left != nil {
		left(ending(admitted))
	}
	return err
}

func viewAgent(v workspaces.AgentView) api.Agent {
	a := v.Agent
	return api.Agent{
		ID: string(a.ID), Name: a.Name, Resource: a.Resource, Outside: a.Outside, OS: a.OS, Arch: a.Arch,
		Status: string(v.Status), Lifecycle: string(a.Lifecycle), Healthy: v.Healthy, Health: v.Health, Notes: v.Notes, Blocks: v.Blocks,
		Directory: a.Directory, Version: a.Version, Scripts: a.Scripts, Apps: a.Apps, Metadata: a.Metadata,
		Steps: a.Steps, AppHealth: a.AppHealth, Trouble: a.Trouble, Pressure: a.Pressure,
		StartedAt: moment(a.StartedAt), ReadyAt: moment(a.ReadyAt), ConnectedAt: moment(a.ConnectedAt), SeenAt: moment(a.SeenAt),
	}
}
