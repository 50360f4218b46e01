package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Timings is how long a build took, from when it was asked for until what it
// made was ready.
type Timings struct {
	Build    berth.Build
	List     []berth.Timing
	Critical []bool // of each: it is on the path that the whole took its length from
}

// Timings is how long the workspace's build of a number took, or takes so far.
func (s *Service) Timings(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, number int) (t Timings, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := find(q, actor, authz.Read, id); err != nil {
			return err
		}
		if t.Build, err = buildNumbered(q, id, number); err != nil {
			return err
		}
		d, err := q.BuildDetail(t.Build.ID)
		if err != nil {
			return err
		}
		agents, err := q.Agents(id)
		if err != nil {
			return err
		}
		for _, a := range agents { // that are not through
			if a.BuildID == t.Build.ID {
				d.Inside = berth.MergeInside(d.Inside, berth.Inside(a, t.Build))
			}
		}
		t.List = berth.WholeTimings(t.Build, d.Timings, d.Inside)
		t.Critical = berth.Critical(t.List)
		return nil
	})
	return t, err
}
