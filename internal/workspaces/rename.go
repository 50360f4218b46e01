package workspaces

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Rename changes the name. It is a conflict while a build is active. What was
// built under the old name is changed by the next start, which the persistence
// rule guards.
func (s *Service) Rename(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (v View, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Update, id)
		if err != nil {
			return err
		}
		newest, err := tx.NewestBuild(id)
		if err != nil {
			return err
		}
		if err := inactive(newest); err != nil {
			return err
		}
		owner, err := tx.User(w.OwnerID)
		if err != nil {
			return err
		}
		if err := rename(tx, w, owner, name); err != nil {
			return err
		}
		if err := audit(tx, actor, "rename", w, map[string]any{"to": name}); err != nil {
			return err
		}
		tx.Wake(store.WorkspaceTopic(id))
		v, err = s.view(&tx.Query, id)
		return err
	})
	return v, err
}

func rename(tx *store.Tx, w berth.Workspace, owner berth.User, name string) error {
	if err := berth.ValidateName("name", name); err != nil {
		return err
	}
	other, err := tx.WorkspaceNamed(owner.ID, name)
	switch {
	case err == nil && other.ID != w.ID: // the same one may change its case
		return &berth.Error{Code: berth.Conflict, Field: "name", Message: fmt.Sprintf("%s has a workspace %s already: choose another name", owner.Username, other.Name)}
	case err != nil && !errors.Is(err, berth.NotFound):
		return err
	}
	return tx.RenameWorkspace(w.ID, name)
}
