package httpapi

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/workspaces"
)

func viewAhead(w berth.Workspace, _ schedules.Ahead) api.Ahead {
	return api.Ahead{DormantAt: moment(w.DormantAt), DeletingAt: moment(w.DeletingAt)}
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
