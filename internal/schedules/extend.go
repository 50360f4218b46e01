package schedules

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

const (
	minExtend = 30 * time.Minute
	maxExtend = 30 * 24 * time.Hour
	// slack is what a moment on somebody else's clock may be off by.
	slack = time.Minute
)

// Extend is until when a workspace is to run at least: a time from now on, or a
// moment.
type Extend struct {
	For   time.Duration
	Until time.Time
}

// Extend has a running workspace stopped by its rules only later. Who may start
// it may do that; a stop that is required it does not move.
func (s *Service) Extend(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, in Extend) (a Ahead, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := sharing.Find(&tx.Query, actor, authz.Start, id)
		if err != nil {
			return err
		}
		f, err := s.FactsOf(&tx.Query, id)
		if err != nil {
			return err
		}
		if status := berth.WorkspaceStatus(f.Build); status != berth.StatusRunning {
			return berth.Errorf(berth.Conflict, "the workspace %s is %s, and only one that runs is stopped later: start it with berth start %s", w.Name, status, w.Name)
		}
		until, err := in.until(aheadOf(f, tx.Now), tx.Now)
		if err != nil {
			return err
		}
		changes := berth.Changes{}
		changes.Set("extended_until", whenever(w.ExtendedUntil), until)
		f.Workspace.ExtendedUntil, f.Workspace.NextLook = until, time.Time{}
		if err := tx.SetLifecycle(id, f.Workspace.Lifecycle); err != nil {
			return err
		}
		a = aheadOf(f, tx.Now)
		return record(tx, actor, "extend", w, changes)
	})
	return a, err
}

// until checks until when a workspace is to run.
func (in Extend) until(a Ahead, now time.Time) (time.Time, error) {
	until, field := now.Add(in.For), "seconds"
	switch {
	case in.For != 0 && !in.Until.IsZero():
		return until, berth.InvalidField("until", "give how long it is to run on, or until when, not both")
	case !in.Until.IsZero():
		until, field = in.Until.UTC().Truncate(time.Microsecond), "until"
	}
	name, stop := a.Facts.Workspace.Name, a.Stop
	switch {
	case stop.At.IsZero():
		return until, berth.Errorf(berth.Conflict, "nothing stops the workspace %s by itself, so there is nothing to put off", name)
	case until.Before(now.Add(minExtend - slack)):
		return until, berth.InvalidField(field, "a workspace is extended by 30 minutes from now at least: give for example 2h")
	case until.After(now.Add(maxExtend + slack)):
		return until, berth.InvalidField(field, "a workspace is extended by 30 days from now at most: extend it again later, or change its time to live")
	case !stop.Never.IsZero() && until.After(stop.Never):
		return until, berth.InvalidField(field, "the workspace %s is stopped at %s at the latest, since %s: nobody can put that off, so extend it until then at most",
			name, inUTC(stop.Never), stop.Because)
	case !until.After(stop.At):
		return until, berth.InvalidField(field, "the workspace %s runs until %s anyway: give a later time", name, inUTC(stop.At))
	}
	return until, nil
}

func inUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
