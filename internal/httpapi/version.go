package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/authz"
)

func (h *handlers) version(ctx context.Context, _ *struct{}) (*body[api.Version], error) {
	setup, err := h.Accounts.SetupRequired(ctx)
	return answered(api.Version{
		Version: berth.Release, API: "v1", AccessURL: h.AccessURL, Database: h.Database, SetupRequired: setup,
	}, err)
}

func (h *handlers) listLoops(ctx context.Context, _ *struct{}) (*body[api.Page[api.Loop]], error) {
	err := authz.Check(actorOf(ctx), authz.Read, authz.All(authz.KindServer), "the list of loops")
	return answered(api.Page[api.Loop]{Items: list(h.Loops, viewLoop)}, err)
}
