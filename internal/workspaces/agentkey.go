package workspaces

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
)

// agentKeySize is the size of the key from which a workspace's agent tokens are
// derived, in bytes.
const agentKeySize = 32

// newAgentKey makes a key, sealed for its workspace.
func (s *Service) newAgentKey(id berth.WorkspaceID) ([]byte, error) {
	key := make([]byte, agentKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making an agent key: %w", err)
	}
	sealed, err := s.keys.Seal(key, KeyBound(id))
	if err != nil {
		return nil, fmt.Errorf("sealing an agent key: %w", err)
	}
	return sealed, nil
}

// agentKey is the opened key of a workspace: what its next build is given.
func (s *Service) agentKey(q *store.Query, id berth.WorkspaceID) ([]byte, error) {
	sealed, err := q.AgentKey(id)
	if err != nil {
		return nil, err
	}
	return s.openKey(id, sealed)
}

func (s *Service) openKey(id berth.WorkspaceID, sealed []byte) ([]byte, error) {
	key, err := s.keys.Open(sealed, KeyBound(id))
	if err != nil {
		return nil, fmt.Errorf("opening the agent key of workspace %s: %w", id, err)
	}
	return key, nil
}

// KeyBound binds a sealed agent key to its workspace.
func KeyBound(id berth.WorkspaceID) []byte { return []byte("berth agent key of workspace " + id) }

// RotateAgentKey changes the key from which the tokens of a workspace's agents
// are derived. A running agent goes on with the token that it has; the next
// start that succeeds gives it another and makes the old one worthless. waits
// is false when there is no agent that could go on.
func (s *Service) RotateAgentKey(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (waits bool, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Govern, id)
		if err != nil {
			return err
		}
		key, err := s.newAgentKey(id)
		if err != nil {
			return err
		}
		ok, err := tx.RotateAgentKey(id, key)
		if err != nil {
			return err
		}
		if !ok {
			return berth.Errorf(berth.Conflict, "the key of %s was changed already, and the next start will use the new one: berth restart %s", w.Name, w.Name)
		}
		agents, err := tx.Agents(id)
		waits = len(agents) > 0
		if err != nil {
			return err
		}
		return audit(tx, actor, "rotate-key", w, berth.Changes{"agent_key": {Secret: true}}, nil)
	})
	return waits, err
}

// checkTokens refuses agents whose token is not derived from the workspace's
// key: another token could speak for an agent of somebody else. The key before
// the last rotation counts too, since the build may have begun with it; fresh
// tells that no token is of that one.
func (s *Service) checkTokens(q *store.Query, id berth.WorkspaceID, agents []builds.FoundAgent) (fresh bool, err error) {
	key, err := s.agentKey(q, id)
	if err != nil {
		return false, err
	}
	var before []byte
	sealed, err := q.AgentKeyBefore(id)
	if err == nil && len(sealed) > 0 {
		before, err = s.openKey(id, sealed)
	}
	if err != nil {
		return false, err
	}
	fresh = true
	for _, a := range agents {
		switch {
		case hmac.Equal([]byte(a.Token), []byte(agentToken(key, a.ID))):
		case before != nil && hmac.Equal([]byte(a.Token), []byte(agentToken(before, a.ID))):
			fresh = false
		default:
			return false, berth.Errorf(berth.Invalid, "the token of agent %s is not the one that Berth gave it: the template must use the coder/coder plugin that Berth brings", a.Address)
		}
	}
	return fresh, nil
}

// agentToken derives the token of an agent from its workspace's key, as the
// plugin does.
func agentToken(key []byte, id berth.AgentID) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("berth agent token v1\x00" + id))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
