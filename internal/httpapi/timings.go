package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
)

func (h *handlers) getTimings(ctx context.Context, in *buildNumberInput) (*body[api.BuildTimings], error) {
	t, err := h.Workspaces.Timings(ctx, actorOf(ctx), in.id(), in.Number)
	out := api.BuildTimings{Number: t.Build.Number, Transition: string(t.Build.Transition), Status: string(t.Build.Status()),
		CreatedAt: t.Build.CreatedAt, Timings: make([]api.Span, len(t.List))}
	for i, x := range t.List {
		out.Timings[i] = api.Span{Stage: x.Stage, Agent: x.Agent, Resource: x.Resource, Action: x.Action, Status: string(x.Status), ExitCode: x.ExitCode,
			Start: x.Start, End: moment(x.End), Critical: t.Critical[i]}
	}
	return answered(out, err)
}
