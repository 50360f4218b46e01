package schedules

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Ahead is what the rules have in store for a workspace, and whether somebody
// who looks has marked it.
type Ahead struct {
	Favorite bool
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
		for _, id := range ids {
			all[id] = Ahead{Favorite: marked[id]}
		}
		return nil
	})
	return all, err
}
