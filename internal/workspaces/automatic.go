package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
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
