package schedules

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Mark has a workspace that the actor may see among their favorites, or not. It
// is theirs alone: nobody else sees it and nothing of the workspace changes.
func (s *Service) Mark(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, favorite bool) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := sharing.Find(&tx.Query, actor, authz.Read, id); err != nil {
			return err
		}
		if err := authz.Check(actor, authz.Update, authz.OfUser(actor.UserID), "your favorites"); err != nil {
			return err
		}
		if favorite {
			return tx.AddFavorite(actor.UserID, id)
		}
		return tx.DeleteFavorite(actor.UserID, id)
	})
}
