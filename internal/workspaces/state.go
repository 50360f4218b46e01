package workspaces

import (
	"context"
	"errors"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// stateOf is a workspace whose state the actor may have: it holds the template's
// secrets, so seeing the workspace is not enough.
func stateOf(q *store.Query, actor authz.Actor, id berth.WorkspaceID) (berth.Workspace, error) {
	w, err := find(q, actor, authz.Read, id)
	if err != nil {
		return w, err
	}
	return w, mayChangeTemplate(q, actor, w.TemplateID, w.OrganizationID, "reading or replacing Terraform state")
}

// State is the workspace's current Terraform state, empty if there is none. It
// holds secrets, so that it was read is audited.
func (s *Service) State(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (state []byte, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := stateOf(&tx.Query, actor, id)
		if err != nil {
			return err
		}
		if state, err = s.queue.CurrentState(&tx.Query, id); err != nil {
			return err
		}
		return audit(tx, actor, "state-pull", w, nil, map[string]any{"bytes": len(state)})
	})
	return state, err
}

// PushState makes state the current one: of the same lineage, with a higher
// serial, while no build is active. The one before is kept.
func (s *Service) PushState(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, state []byte) (v StateView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := stateOf(&tx.Query, actor, id)
		if err != nil {
			return err
		}
		v, err = s.replaceState(tx, actor, w, "state-push", state, map[string]any{})
		return err
	})
	return v, err
}

// RestoreState makes a kept revision the current one again, with the lineage and
// the next serial of the one that it replaces, which is kept in turn. What the
// revision knows nothing of is not in the state any more, and stays where it is.
func (s *Service) RestoreState(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, revision int64) (v StateView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := stateOf(&tx.Query, actor, id)
		if err != nil {
			return err
		}
		state, err := s.queue.FormerState(&tx.Query, id, revision)
		if err != nil {
			return err
		}
		v, err = s.replaceState(tx, actor, w, "state-restore", state, map[string]any{"revision": revision})
		return err
	})
	return v, err
}

// replaceState makes state the current one. Every resource that it names counts
// as persistent from now on.
func (s *Service) replaceState(tx *store.Tx, actor authz.Actor, w berth.Workspace, action string, state []byte, detail map[string]any) (v StateView, err error) {
	before, _, err := tx.CurrentState(w.ID)
	if err != nil && !errors.Is(err, berth.NotFound) {
		return v, err
	}
	r, err := s.queue.PushState(tx, w.ID, actor.UserID, state)
	if err != nil {
		return v, err
	}
	persistent := slices.Clone(w.Persistent)
	for _, a := range nextPersistent(nil, stateAddresses(state), nil, true) {
		if !slices.Contains(persistent, a) {
			persistent = append(persistent, a)
		}
	}
	slices.Sort(persistent)
	if err := tx.SetPersistent(w.ID, persistent); err != nil {
		return v, err
	}
	detail["lineage"], detail["persistent"] = r.Lineage, persistent
	return StateView{Revision: r, CreatedBy: actor.Username},
		audit(tx, actor, action, w, berth.Changes{"serial": {Old: before.Serial, New: r.Serial}, "state": {Secret: true}}, detail)
}

// StateVersions lists the kept revisions of the state, newest first.
func (s *Service) StateVersions(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (views []StateView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		if _, err := stateOf(q, actor, id); err != nil {
			return err
		}
		revisions, err := q.States(id)
		if err != nil {
			return err
		}
		numbers, people := map[berth.BuildID]int{}, map[berth.UserID]string{}
		views = make([]StateView, len(revisions))
		for i, r := range revisions {
			views[i].Revision = r
			if err := maker(q, r, &views[i], numbers, people); err != nil {
				return err
			}
		}
		return nil
	})
	return views, err
}

// maker fills in who or what made a revision. Few revisions are kept, and most
// of them come from few builds and people.
func maker(q *store.Query, r berth.StateRevision, v *StateView, numbers map[berth.BuildID]int, people map[berth.UserID]string) error {
	if r.BuildID != "" {
		if _, known := numbers[r.BuildID]; !known {
			b, err := q.Build(r.BuildID)
			if err != nil {
				return err
			}
			numbers[r.BuildID] = b.Number
		}
		v.Build = numbers[r.BuildID]
	}
	if r.CreatedBy != "" {
		if _, known := people[r.CreatedBy]; !known {
			u, err := q.User(r.CreatedBy)
			if err != nil {
				return err
			}
			people[r.CreatedBy] = u.Username
		}
		v.CreatedBy = people[r.CreatedBy]
	}
	return nil
}
