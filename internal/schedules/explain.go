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

const (
	foreseen  = 14 * 24 * time.Hour // how far a forecast goes
	maxComing = 20                  // acts of it that are told
	recent    = 10                  // acts of the past that are told with it
)

// Explanation is what there is to say of a workspace that lives by rules.
type Explanation struct {
	At     time.Time
	Zone   *time.Location // that sentences tell times in
	Now    []string       // one sentence each, the most important first
	Coming []lifecycle.Coming
	Acts   []Act // the newest first
}

// Explain says of a workspace why it is as it is, what comes, and what was done
// with it by itself. It changes nothing and asks no agent.
func (s *Service) Explain(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (e Explanation, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := sharing.Find(q, actor, authz.Read, id); err != nil {
			return err
		}
		f, err := s.FactsOf(q, id)
		if err != nil {
			return err
		}
		now := time.Now()
		e = Explanation{At: now, Zone: lifecycle.Zone(f), Now: lifecycle.Says(f, now), Coming: lifecycle.Forecast(f, now, foreseen)}
		e.Coming = e.Coming[:min(len(e.Coming), maxComing)]
		e.Acts, _, err = q.ActPage(id, store.Page{Limit: recent})
		return err
	})
	return e, err
}

// Act is what was done, with the number of the build that was made.
type Act = store.ActRow

// Acts is one page of what Berth did with a workspace by itself, or found itself
// unable to, the newest first.
func (s *Service) Acts(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, after string, limit int) (acts []Act, next string, err error) {
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := sharing.Find(q, actor, authz.Read, id); err != nil {
			return err
		}
		acts, next, err = q.ActPage(id, page)
		return err
	})
	return acts, next, err
}
