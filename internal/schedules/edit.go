package schedules

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// Edit is what to change of a workspace's schedule.
type Edit struct {
	workspaces.Settings
	// Now puts the time to live and auto-off on what runs already, too, where that
	// stops it sooner.
	Now    bool
	DryRun bool // change nothing
}

// Edited is what came of an edit, or would.
type Edited struct {
	Ahead
	Before  lifecycle.StopPlan // what would have stopped it
	NowAt   time.Time          // when Now would stop it, where that is sooner
	Changed bool
	put     bool     // it is put on what runs
	Notes   []string // what to know besides, one sentence each
}

// Edit changes by what a workspace starts and stops. What runs is stopped by
// what held when it started, unless the change makes that later, or Now is said.
func (s *Service) Edit(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, in Edit) (e Edited, err error) {
	if in.DryRun {
		err = s.db.Read(ctx, func(q *store.Query) error {
			_, e, err = s.edit(q, actor, id, in, time.Now())
			return err
		})
		return e, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		var changes berth.Changes
		if changes, e, err = s.edit(&tx.Query, actor, id, in, tx.Now); err != nil || !e.Changed {
			return err
		}
		w := e.Facts.Workspace
		if e.put {
			if err := keepPut(tx, e.Facts, in.puts()); err != nil {
				return err
			}
		}
		w.NextLook = time.Time{}
		if err := tx.SetLifecycle(id, w.Lifecycle); err != nil {
			return err
		}
		return record(tx, actor, "schedule", w, changes)
	})
	return e, err
}

// edit is what an edit comes to.
func (s *Service) edit(q *store.Query, actor authz.Actor, id berth.WorkspaceID, in Edit, now time.Time) (berth.Changes, Edited, error) {
	if _, err := sharing.Find(q, actor, authz.Update, id); err != nil {
		return nil, Edited{}, err
	}
	f, err := s.FactsOf(q, id)
	if err != nil {
		return nil, Edited{}, err
	}
	e := Edited{Before: aheadOf(f, now).Stop}
	changes, err := in.Apply(&f.Workspace.Lifecycle, f.Template, f.Organization)
	if err != nil {
		return nil, e, err
	}
	later := aheadOf(f, now)
	sooner := aheadOf(withPut(f, in.puts(), now), now)
	switch {
	case !stopsSooner(sooner.Stop, later.Stop):
		e.Ahead = later
	case in.Now:
		e.Ahead, e.put = sooner, true
		changes.Set("apply_now", false, true)
	default:
		e.Ahead, e.NowAt = later, sooner.Stop.At
	}
	e.Changed = len(changes) > 0
	e.Notes = notes(in, f)
	return changes, e, nil
}

// puts is what of the edit stops what runs.
func (in Edit) puts() lifecycle.Put {
	return lifecycle.Put{TTL: in.TTL != nil, AutoOff: in.AutoOff != nil || in.AutoOffDefault}
}

// stopsSooner tells whether one plan stops before another one.
func stopsSooner(a, b lifecycle.StopPlan) bool {
	return !a.At.IsZero() && (b.At.IsZero() || a.At.Before(b.At))
}

// notes is what to know of settings that are not the last word.
func notes(in Edit, f lifecycle.Facts) (all []string) {
	if in.AutomaticUpdates != nil && *in.AutomaticUpdates == berth.UpdatesNever && f.Template.Policy.RequireActive {
		all = append(all, "The template "+f.Template.Name+" requires its active version, so each start takes that all the same.")
	}
	return all
}
