package httpapi

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/workspaces"
)

func (h *handlers) getSchedule(ctx context.Context, in *WorkspaceInput) (*body[api.Schedule], error) {
	a, err := h.Schedules.Show(ctx, actorOf(ctx), in.id())
	if err != nil {
		return nil, err
	}
	return &body[api.Schedule]{viewSchedule(a)}, nil
}

type editScheduleInput struct {
	WorkspaceInput
	Body api.EditSchedule
}

func (h *handlers) editSchedule(ctx context.Context, in *editScheduleInput) (*body[api.EditedSchedule], error) {
	settings, err := settingsOf(in.Body)
	if err != nil {
		return nil, err
	}
	e, err := h.Schedules.Edit(ctx, actorOf(ctx), in.id(), schedules.Edit{Settings: settings, Now: in.Body.ApplyNow, DryRun: in.Body.DryRun})
	if err != nil {
		return nil, err
	}
	return &body[api.EditedSchedule]{api.EditedSchedule{Schedule: viewSchedule(e.Ahead), Changed: e.Changed, StoppedAt: minute(e.Before.At),
		NowAt: minute(e.NowAt), Notes: list(e.Notes, same)}}, nil
}

type extendInput struct {
	WorkspaceInput
	Body api.Extend
}

func (h *handlers) extendWorkspace(ctx context.Context, in *extendInput) (*body[api.Schedule], error) {
	length, err := seconds("seconds", in.Body.Seconds)
	if err != nil {
		return nil, err
	}
	e := schedules.Extend{For: length}
	if in.Body.Until != nil {
		e.Until = *in.Body.Until
	}
	a, err := h.Schedules.Extend(ctx, actorOf(ctx), in.id(), e)
	if err != nil {
		return nil, err
	}
	return &body[api.Schedule]{viewSchedule(a)}, nil
}

func viewSchedule(a schedules.Ahead) api.Schedule {
	w, policy := a.Facts.Workspace, a.Policy()
	v := api.Schedule{
		Autostart: w.Autostart, AutostartFixed: a.AutostartFixed(), TTL: wholeSeconds(policy.TTL), TTLFixed: a.TTLFixed(),
		ActivityBump: wholeSeconds(policy.Bump), AutoOff: wholeSeconds(policy.AutoOff), AutoOffOwn: a.AutoOffOwn(), AutoOffFixed: a.AutoOffFixed(),
		AutomaticUpdates: string(w.AutomaticUpdates), RequiredStop: a.RequiredStop(), QuietHours: inWords(policy.QuietHours), Ahead: viewAhead(a),
		StopsMoves: wholeSeconds(a.Stop.Moves), StopsLatest: minute(a.Stop.Never), StopsBecause: a.Stop.Because, ExtendedUntil: moment(w.ExtendedUntil),
	}
	if w.Autostart != "" {
		v.AutostartSays = inWords(w.Autostart)
		if a.Start.At.IsZero() {
			v.AutostartNot = a.Start.Why
		}
	}
	return v
}

// inWords is a schedule for people; nothing of none.
func inWords(text string) string {
	s, err := berth.ParseSchedule("", text)
	if err != nil {
		return ""
	}
	return s.Describe()
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// minute is a moment to the minute: what moves with every use need not be news
// each second.
func minute(t time.Time) *time.Time { return moment(t.Truncate(time.Minute)) }

func viewAhead(a schedules.Ahead) api.Ahead {
	w := a.Facts.Workspace
	return api.Ahead{StopsAt: minute(a.Stop.At), StopsWhy: a.Stop.Why, StartsAt: minute(a.Start.Slot),
		DormantAt: moment(w.DormantAt), DeletingAt: moment(w.DeletingAt)}
}

// settingsOf is the settings of an edit from the wire.
func settingsOf(in api.EditSchedule) (s workspaces.Settings, err error) {
	s = workspaces.Settings{Autostart: in.Autostart, AutoOffDefault: in.AutoOffDefault}
	if s.TTL, err = secondsIfAny("ttl_seconds", in.TTL); err != nil {
		return s, err
	}
	if s.AutoOff, err = secondsIfAny("auto_off_seconds", in.AutoOff); err != nil {
		return s, err
	}
	if in.AutomaticUpdates != nil {
		updates := berth.Updates(*in.AutomaticUpdates)
		s.AutomaticUpdates = &updates
	}
	return s, nil
}

func secondsIfAny[N int | int64](field string, n *N) (*time.Duration, error) {
	if n == nil {
		return nil, nil
	}
	d, err := seconds(field, int64(*n))
	return &d, err
}
