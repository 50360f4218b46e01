package workspaces

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Edit is what to change of a workspace; what is nil stays.
type Edit struct {
	Name          *string
	ConnectStarts *bool // a connection starts it when it is stopped
}

// Edit changes the name and the settings of a workspace. A new name is a
// conflict while a build is active; what was built under the old one is changed
// by the next start, which the persistence rule guards.
func (s *Service) Edit(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, e Edit) (v View, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Update, id)
		if err != nil {
			return err
		}
		if e.Name != nil {
			if err := s.rename(tx, actor, w, *e.Name); err != nil {
				return err
			}
		}
		if e.ConnectStarts != nil && *e.ConnectStarts != w.ConnectStarts {
			if err := tx.SetConnectStarts(id, *e.ConnectStarts); err != nil {
				return err
			}
			if err := audit(tx, actor, "edit", w, berth.Changes{"connect_starts": {Old: w.ConnectStarts, New: *e.ConnectStarts}}, nil); err != nil {
				return err
			}
		}
		tx.Wake(store.WorkspaceTopic(id))
		v, err = s.view(&tx.Query, id)
		return err
	})
	return v, err
}

func (s *Service) rename(tx *store.Tx, actor authz.Actor, w berth.Workspace, name string) error {
	newest, err := tx.NewestBuild(w.ID)
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
	if err := freeName(tx, w, owner, name); err != nil {
		return err
	}
	if err := tx.RenameWorkspace(w.ID, name); err != nil {
		return err
	}
	return audit(tx, actor, "rename", w, berth.Changes{"name": {Old: w.Name, New: name}}, nil)
}

// freeName checks a new name of a workspace, also whether its owner has it left.
func freeName(tx *store.Tx, w berth.Workspace, owner berth.User, name string) error {
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
	return nil
}
