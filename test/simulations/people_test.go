package simulations

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// planVisit plans when the workspace is used next, after a time.
func (y *year) planVisit(s *space, after time.Time) {
	for d := 1; d < 400; d++ {
		local := after.In(s.owner.zone)
		at := time.Date(local.Year(), local.Month(), local.Day()+d, s.habit.hour, 0, 0, 0, s.owner.zone).Add(time.Duration(y.rng.IntN(7)-1) * 15 * time.Minute)
		weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
		if (weekend && !s.habit.weekends) || !y.chance(s.habit.visits*y.often) || !at.After(after) {
			continue
		}
		if s.habit.fades > 0 && at.Sub(s.made) > s.habit.fades && !y.chance(0.02) {
			continue
		}
		y.agenda.add(at, func() { y.visit(s) })
		return
	}
}

// visit is somebody who comes to work.
func (y *year) visit(s *space) {
	now := time.Now()
	if s.gone {
		return
	}
	defer y.planVisit(s, now.Add(s.habit.to))
	if s.owner.away(now) {
		return
	}
	until := now.Add(y.between(s.habit.from, s.habit.to))
	if !s.asleep.IsZero() && !y.wake(s) {
		return
	}
	y.count["visits"]++
	y.use(s, until)
	if s.habit.holds > 0 && y.chance(s.habit.holds) {
		y.agenda.add(until.Add(-5*time.Minute), func() { y.hold(s, y.between(2*time.Hour, 24*time.Hour)) })
	}
}

// use starts the workspace if that is needed, and uses it until a time.
func (y *year) use(s *space, until time.Time) {
	now := time.Now()
	if s.gone || !until.After(now) || s.owner.isSuspended(now) {
		return
	}
	if s.up != nil && s.newest == s.up && s.newest.ok {
		y.useNow(s, until)
		return
	}
	again := now.Add(6 * time.Minute).Truncate(5 * time.Minute).Add(5 * time.Minute)
	if s.newest != nil && s.newest.CompletedAt.IsZero() || s.newest == nil { // under way
		y.agenda.add(again, func() { y.use(s, until) })
		return
	}
	_, err := y.workspaces.Build(y.t.Context(), s.owner.actor, s.id, workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonCLI, Update: s.template.Policy.RequireActive})
	switch {
	case err == nil:
		s.wanted = now
		y.look, y.wants = true, true
		y.count["starts by people"]++
	case errors.Is(err, berth.Conflict):
		y.count["refused to people"]++
		if !s.asleep.IsZero() {
			return
		}
		again = now.Add(30 * time.Minute)
	default:
		y.must(err)
	}
	y.agenda.add(again, func() { y.use(s, until) })
}

// useNow uses what runs, and leaves it as people do.
func (y *year) useNow(s *space, until time.Time) {
	now := time.Now()
	if n := len(s.uses); n > 0 && !s.uses[n-1].to.Before(now) {
		s.uses[n-1].to = later(s.uses[n-1].to, until)
	} else {
		s.uses = append(s.uses[max(0, n-40):], span{now, until})
	}
	y.seen[s] = s.uses[len(s.uses)-1]
	s.open = y.chance(s.habit.idleOpens)
	if y.chance(0.03) {
		y.agenda.add(until.Add(-10*time.Minute), func() { y.extend(s) })
	}
	if y.chance(s.habit.leaves) {
		y.agenda.add(until.Add(time.Minute), func() { y.stop(s) })
	}
}

// stop is somebody who stops what they leave.
func (y *year) stop(s *space) {
	if s.gone || s.up == nil || s.newest != s.up || s.owner.isSuspended(time.Now()) {
		return
	}
	_, err := y.workspaces.Build(y.t.Context(), s.owner.actor, s.id, workspaces.BuildInput{Transition: berth.Stop, Reason: berth.ReasonCLI})
	if !errors.Is(err, berth.Conflict) {
		y.must(err)
		s.wanted, y.look, y.wants = time.Now(), true, true
		y.count["stops by people"]++
	}
}

// hold keeps a workspace that runs awake.
func (y *year) hold(s *space, length time.Duration) {
	now := time.Now()
	if s.gone || s.up == nil || s.owner.isSuspended(now) {
		return
	}
	h := berth.Hold{ID: berth.NewID[berth.Hold](), WorkspaceID: s.id, Reason: "training", CreatedBy: s.owner.ID, CreatedAt: now, Until: now.Add(length)}
	y.write(func(tx *store.Tx) error { return tx.PutHold(h) })
	s.holds = append(s.holds, span{now, h.Until})
	y.count["holds"]++
	if y.chance(0.3) {
		y.agenda.add(h.Until.Add(-10*time.Minute), func() { y.hold(s, y.between(2*time.Hour, 24*time.Hour)) })
	}
}

// extend is somebody who wants what runs to run for longer.
func (y *year) extend(s *space) {
	if s.gone || s.up == nil || s.newest != s.up || s.owner.isSuspended(time.Now()) {
		return
	}
	s.extended = time.Now().Add(y.between(time.Hour, 12*time.Hour))
	y.settings(s, func(l *berth.Lifecycle) { l.ExtendedUntil = s.extended })
	y.count["extended"]++
}

// wake is somebody who finds their workspace asleep.
func (y *year) wake(s *space) bool {
	if y.chance(0.5) {
		return false
	}
	y.write(func(tx *store.Tx) error {
		w, err := tx.Workspace(s.id)
		if err != nil || !w.DeletedAt.IsZero() || !w.Dormant() {
			return err
		}
		newest, err := tx.NewestBuild(s.id)
		if err != nil || newest.Active() { // it is being deleted
			return err
		}
		l := w.Lifecycle
		l.NextLook, l.DormantAt, l.DeletingAt, l.NoticedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if err := tx.UseWorkspace(s.id); err != nil {
			return err
		}
		return tx.SetLifecycle(s.id, l)
	})
	now := time.Now()
	s.asleep = time.Time{}
	s.uses = append(s.uses, span{now, now}) // which it counts as
	y.look = true
	y.count["woken"]++
	return true
}

// report writes down what was seen since the last time, as the book of activity
// does.
func (y *year) report() {
	now := time.Now()
	var seen []store.Sighting
	for s, u := range y.seen {
		if _, away := s.unreachable(now); away {
			continue
		}
		if !s.gone && !u.from.After(now) {
			seen = append(seen, store.Sighting{Workspace: s.id, Evidence: berth.Evidence{Kind: berth.EvidenceSSH, Since: u.from, At: s.used(now)}})
		}
		if s.gone || u.to.Before(now) {
			delete(y.seen, s)
		}
	}
	if len(seen) > 0 {
		y.write(func(tx *store.Tx) error { return tx.NoteActivity(seen) })
	}
	y.agenda.add(now.Add(time.Hour), y.report)
}

// ask is the agents: they know what was seen up to this moment.
func (y *year) ask(ctx context.Context, id berth.WorkspaceID) (a activity.Answer, err error) {
	y.asked.Add(1)
	s, now := y.byID[id], time.Now()
	err = y.db.Read(ctx, func(q *store.Query) error {
		stored, err := q.Activity(id)
		if err != nil {
			return err
		}
		holds, err := q.Holds(id, now)
		if err != nil {
			return err
		}
		a.Running = s.up != nil
		if _, away := s.unreachable(now); away && a.Running {
			a.Activity = berth.NewActivity(stored, holds, s.template.org.IdleCounts, now)
			return nil
		}
		a.Known = true
		if last := s.used(now); !last.IsZero() {
			stored = append(stored, berth.Evidence{Kind: berth.EvidenceSSH, Since: last, At: last})
		}
		if s.open && a.Running {
			stored = append(stored, berth.Evidence{Kind: berth.EvidenceConnection, Since: now.Add(-time.Hour), At: now})
		}
		a.Activity = berth.NewActivity(stored, holds, s.template.org.IdleCounts, now)
		return nil
	})
	return a, err
}
