package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/schedules"
)

func (h *handlers) explainSchedule(ctx context.Context, in *WorkspaceInput) (*body[api.Explanation], error) {
	e, err := h.Schedules.Explain(ctx, actorOf(ctx), in.id())
	if err != nil {
		return nil, err
	}
	return &body[api.Explanation]{api.Explanation{At: e.At.UTC(), Zone: e.Zone.String(), Now: list(e.Now, same),
		Coming: list(e.Coming, viewComing), Acts: list(e.Acts, viewAct)}}, nil
}

type listActsInput struct {
	WorkspaceInput
	Page
}

func (h *handlers) listActs(ctx context.Context, in *listActsInput) (*body[api.Page[api.Act]], error) {
	acts, next, err := h.Schedules.Acts(ctx, actorOf(ctx), in.id(), in.After, in.Limit)
	return answered(api.Page[api.Act]{Items: list(acts, viewAct), Next: next}, err)
}

func viewComing(c lifecycle.Coming) api.Coming {
	return api.Coming{At: c.At.UTC(), Do: string(c.Do), Rule: string(c.Rule), Why: c.Why, Unless: c.Unless}
}

func viewAct(a schedules.Act) api.Act {
	return api.Act{ID: string(a.ID), At: a.At, Did: a.Did, Rule: a.Rule, Why: a.Why, Facts: a.Facts, Build: a.Build}
}
