package workspaces

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// BuildIn is buildIn, for tests.
func (s *Service) BuildIn(tx *store.Tx, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (berth.Build, error) {
	_, b, err := s.buildIn(tx, actor, id, in)
	return b, err
}
