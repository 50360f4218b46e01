package workspaces

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// The ways in which agents prove by their machine who they are, as templates say
// them.
const (
	authAWS    = "aws-instance-identity"
	authAzure  = "azure-instance-identity"
	authGoogle = "google-instance-identity"
)

// TokenByAWS is the token of the agent that runs on the instance of a document.
func (s *Service) TokenByAWS(ctx context.Context, document, signature string) (string, error) {
	id, err := s.opt.Machines.AWS(document, signature)
	if err != nil {
		return "", err
	}
	return s.tokenOf(ctx, authAWS, id)
}

// TokenByAzure is the same for Azure.
func (s *Service) TokenByAzure(ctx context.Context, signature string) (string, error) {
	id, err := s.opt.Machines.Azure(signature)
	if err != nil {
		return "", err
	}
	return s.tokenOf(ctx, authAzure, id)
}

// TokenByGoogle is the same for Google Cloud, where documents are made for one
// server: this one, by its access URL.
func (s *Service) TokenByGoogle(ctx context.Context, token string) (string, error) {
	id, err := s.opt.Machines.Google(ctx, token, s.opt.AccessURL)
	if err != nil {
		return "", err
	}
	return s.tokenOf(ctx, authGoogle, id)
}

// tokenOf is the token of the one agent that has the machine, if its workspace is
// started. A machine that two claim gets none: a template can name any machine,
// somebody else's too, and who does so must not become that machine's agent. Agents
// of a workspace that stops count until it is stopped.
// While the agent is connected there is nothing to give: documents of AWS never
// expire, so one that was copied may come again at any time.
func (s *Service) tokenOf(ctx context.Context, auth, instance string) (token string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		agents, err := q.AgentsOfMachine(auth, instance)
		if err != nil {
			return err
		}
		if len(agents) > 1 {
			return severalClaim(instance, agents)
		}
		started := false
		if len(agents) == 1 {
			newest, err := q.NewestBuild(agents[0].WorkspaceID)
			if err != nil {
				return err
			}
			started = newest.Transition == berth.Start
		}
		if !started {
			return berth.Errorf(berth.Unauthenticated, "no agent of a workspace that was started has the machine %s: its build may not have ended", instance)
		}
		if agents[0].Status(time.Now()) == berth.AgentConnected {
			return berth.Errorf(berth.Unauthenticated, "the agent of the machine %s is connected, so this document may be a copy: an agent that was started anew gets its token once the connection of the one before has ended", instance)
		}
		if token, err = s.tokenFor(q, agents[0]); err != nil {
			return err
		}
		w, err := q.Workspace(agents[0].WorkspaceID)
		if err != nil {
			return err
		}
		owner, err := q.User(w.OwnerID)
		if err == nil && owner.Status == berth.UserSuspended {
			return berth.Errorf(berth.Forbidden, "the owner of the workspace is suspended: its agents may not link")
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// severalClaim refuses a machine. Which workspaces claim it is for the server's
// log: whoever asks may be on any machine.
func severalClaim(instance string, agents []berth.Agent) error {
	var list []string
	for _, a := range agents {
		list = append(list, fmt.Sprintf("%s of workspace %s", a.Name, a.WorkspaceID))
	}
	return &berth.Error{Code: berth.Unauthenticated, Err: fmt.Errorf("the machine is claimed by the agents %s", strings.Join(list, ", ")),
		Message: fmt.Sprintf("several agents claim the machine %s, so none gets its token: see in the server's log which, and in their templates what names it, as coder_agent_instance does", instance)}
}

// tokenFor is the token of an agent, derived from its workspace's key or, until
// its next start, from the one before that.
func (s *Service) tokenFor(q *store.Query, a berth.Agent) (string, error) {
	is := func(key []byte) (string, bool) {
		token := agentToken(key, a.ID)
		sum := sha256.Sum256([]byte(token))
		return token, hmac.Equal(sum[:], a.TokenHash)
	}
	key, err := s.agentKey(q, a.WorkspaceID)
	if err != nil {
		return "", err
	}
	if token, ok := is(key); ok {
		return token, nil
	}
	sealed, err := q.AgentKeyBefore(a.WorkspaceID)
	if err != nil {
		return "", err
	}
	if len(sealed) > 0 {
		before, err := s.openKey(a.WorkspaceID, sealed)
		if err != nil {
			return "", err
		}
		if token, ok := is(before); ok {
			return token, nil
		}
	}
	return "", berth.Errorf(berth.Unavailable, "the token of the agent is not known here: restart the workspace")
}
