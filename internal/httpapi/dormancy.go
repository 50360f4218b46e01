package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

type sleepInput struct {
	WorkspaceInput
	Body api.Sleep
}

func (h *handlers) sleepWorkspace(ctx context.Context, in *sleepInput) (*body[api.Workspace], error) {
	if err := h.Schedules.Sleep(ctx, actorOf(ctx), in.id(), berth.Reason(in.Body.Reason)); err != nil {
		return nil, err
	}
	return h.getWorkspace(ctx, &in.WorkspaceInput)
}

func (h *handlers) wakeWorkspace(ctx context.Context, in *WorkspaceInput) (*body[api.Workspace], error) {
	if err := h.Schedules.Wake(ctx, actorOf(ctx), in.id()); err != nil {
		return nil, err
	}
	return h.getWorkspace(ctx, in)
}

func (h *handlers) addFavorite(ctx context.Context, in *WorkspaceInput) (*struct{}, error) {
	return nil, h.Schedules.Mark(ctx, actorOf(ctx), in.id(), true)
}

func (h *handlers) removeFavorite(ctx context.Context, in *WorkspaceInput) (*struct{}, error) {
	return nil, h.Schedules.Mark(ctx, actorOf(ctx), in.id(), false)
}
