package schedules

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Ahead is what the rules have in store for a workspace, as things are.
type Ahead struct {
	Facts    lifecycle.Facts
	Stop     lifecycle.StopPlan  // of what runs; the zero one of what does not
	Start    lifecycle.StartPlan // by its schedule
	Favorite bool                // of who looks; in lists alone
}

// aheadOf is that of one workspace at now.
func aheadOf(f lifecycle.Facts, now time.Time) Ahead {
	if f.Workspace.Prebuild {
		return Ahead{Facts: f}
	}
	if f.Build.Active() { // what stops what runs is known again when that has ended
		return Ahead{Facts: f, Start: lifecycle.Autostart(f, now)}
	}
	return Ahead{Facts: f, Stop: lifecycle.Deadline(f, now), Start: lifecycle.Autostart(f, now)}
}

// Show is what the rules have in store for a workspace that the actor may see.
func (s *Service) Show(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (a Ahead, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := sharing.Find(q, actor, authz.Read, id); err != nil {
			return err
		}
		f, err := s.FactsOf(q, id)
		a = aheadOf(f, time.Now())
		return err
	})
	return a, err
}

// Ahead is that of some workspaces, which the actor may see: for lists, in few
// queries however many there are.
func (s *Service) Ahead(ctx context.Context, actor authz.Actor, ids []berth.WorkspaceID) (map[berth.WorkspaceID]Ahead, error) {
	all := make(map[berth.WorkspaceID]Ahead, len(ids))
	err := s.db.Read(ctx, func(q *store.Query) error {
		marked, err := q.Favorites(actor.UserID, ids)
		if err != nil {
			return err
		}
		facts, err := s.FactsOfMany(q, ids)
		if err != nil {
			return err
		}
		now := time.Now()
		for id, f := range facts {
			a := aheadOf(f, now)
			a.Favorite = marked[id]
			all[id] = a
		}
		return nil
	})
	return all, err
}
