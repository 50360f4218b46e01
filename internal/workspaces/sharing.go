package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Shares lists who a workspace is shared with, for who may see it: whom one
// meets in it is no secret.
func (s *Service) Shares(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (rows []sharing.Row, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		w, err := find(q, actor, authz.Read, id)
		if err != nil {
			return err
		}
		rows, err = sharing.List(q, thing(w))
		return err
	})
	return rows, err
}

// Share shares a workspace with users and groups of its organization, all of
// them or none. Who has it by a share of the role admin gives the role use.
func (s *Service) Share(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, wanted []sharing.Share) (rows []sharing.Row, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Share, id)
		if err != nil {
			return err
		}
		o, err := tx.Organization(w.OrganizationID)
		if err != nil {
			return err
		}
		if !o.Sharing {
			return berth.Errorf(berth.Forbidden, "workspaces are not shared in the organization %s: its owners can allow it", o.Name)
		}
		t, err := judged(&tx.Query, actor, w)
		if err != nil {
			return err
		}
		if err := sharing.Put(tx, actor, t, wanted); err != nil {
			return err
		}
		rows, err = sharing.List(&tx.Query, t)
		return err
	})
	return rows, err
}

// Unshare ends shares of a workspace. Whoever came in by them is out at once.
func (s *Service) Unshare(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, users, groups []string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Read, id)
		if err != nil {
			return err
		}
		t, err := judged(&tx.Query, actor, w)
		if err != nil {
			return err
		}
		return sharing.Remove(tx, actor, t, users, groups)
	})
}

func thing(w berth.Workspace) sharing.Thing {
	return sharing.Thing{Kind: "workspace", ID: string(w.ID), Name: w.Name, Organization: w.OrganizationID, Owner: w.OwnerID}
}

// judged is a workspace as a thing, with what the actor may do to its shares.
// Who governs it and may not share it, such as an owner of the organization,
// ends shares and makes none.
func judged(q *store.Query, actor authz.Actor, w berth.Workspace) (sharing.Thing, error) {
	on, err := sharing.Workspace(q, w)
	if err != nil {
		return sharing.Thing{}, err
	}
	t := thing(w)
	row, err := q.AuditOf(w) // the record finds it under the name that its other rows have
	t.Name = row.TargetName
	t.Manages, t.Shares = authz.Can(actor, authz.Govern, on), authz.Can(actor, authz.Share, on)
	return t, err
}
