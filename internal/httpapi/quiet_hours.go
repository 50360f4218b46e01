package httpapi

import (
	"context"
	"time"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/schedules"
)

func (h *handlers) quietHours(ctx context.Context, in *OfUser) (*body[api.QuietHours], error) {
	q, err := h.Schedules.QuietHours(ctx, actorOf(ctx), in.User)
	return answered(viewQuietHours(q), err)
}

type setQuietHoursInput struct {
	OfUser
	Body api.EditQuietHours
}

func (h *handlers) setQuietHours(ctx context.Context, in *setQuietHoursInput) (*body[api.QuietHours], error) {
	q, err := h.Schedules.SetQuietHours(ctx, actorOf(ctx), in.User, in.Body.Schedule, in.Body.ApplyNow)
	return answered(viewQuietHours(q), err)
}

func viewQuietHours(q schedules.QuietHours) api.QuietHours {
	return api.QuietHours{Schedule: q.Own, Says: q.Holds.Describe(), Next: moment(q.Holds.Next(time.Now())), Fixed: q.Fixed}
}
