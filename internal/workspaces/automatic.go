package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Automatic is a build that the rules of a workspace want.
type Automatic struct {
	BuildInput
	Why   string // in one sentence: what the record says
	Tries int    // which try it is for its purpose; 0: the first
}

// Automatic queues a build that nobody asked for, in the transaction in which
// that was decided. What keeps a person's build from being made keeps this one
// too.
func (s *Service) Automatic(tx *store.Tx, id berth.WorkspaceID, in Automatic) (berth.Build, error) {
	system, err := tx.UserNamed(berth.PrebuildsUsername)
	if err != nil {
		return berth.Build{}, err
	}
	actor := authz.System(system.ID)
	w, b, err := s.next(tx, actor, id, in.BuildInput)
	if err != nil {
		return b, err
	}
	if err := ownerMay(&tx.Query, w, b.Transition); err != nil {
		return b, err
	}
	b.Tries = in.Tries
	more := map[string]any{"why": in.Why}
	if b.Tries > 1 {
		if b.Next, err = carried(&tx.Query, b, tx.Now); err != nil {
			return b, err
		}
		more["try"] = b.Tries
	}
	return s.enqueue(tx, actor, string(b.Transition), w, b, more)
}

// ownerMay refuses a start by itself that the owner may not ask for, who left the
// organization for example. Whoever owns it, it is stopped and deleted.
func ownerMay(q *store.Query, w berth.Workspace, t berth.Transition) error {
	if t != berth.Start {
		return nil
	}
	owner, err := q.User(w.OwnerID)
	if err != nil {
		return err
	}
	who, err := accounts.WhoIs(q, owner)
	if err != nil {
		return err
	}
	switch err := sharing.Check(q, authz.User(who, authz.ScopeAll), authz.Start, w, "the workspace"); berth.ErrorCode(err) {
	case berth.NotFound, berth.Forbidden:
		return berth.Errorf(berth.Forbidden, "its owner %s may not start it any more", owner.Username)
	default:
		return err
	}
}
