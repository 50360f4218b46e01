package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// awake refuses the start of a dormant workspace, whoever asks: it is woken
// first, which somebody does on purpose.
func awake(w berth.Workspace, t berth.Transition) error {
	if t != berth.Start || !w.Dormant() {
		return nil
	}
	return berth.Errorf(berth.Conflict, "the workspace %s is dormant: wake it with berth dormancy wake %s, then start it", w.Name, w.Name)
}

// StopIn queues the stop of a workspace for somebody in a transaction that does
// more.
func (s *Service) StopIn(tx *store.Tx, actor authz.Actor, id berth.WorkspaceID, reason berth.Reason) (berth.Build, error) {
	_, b, err := s.buildIn(tx, actor, id, BuildInput{Transition: berth.Stop, Reason: reason})
	return b, err
}
