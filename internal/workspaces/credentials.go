package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/store"
)

// start is the scene as package credentials wants it.
func (c scene) start() credentials.Start {
	return credentials.Start{Workspace: c.workspace, Owner: c.owner, Build: c.build, AgentKey: c.agentKey}
}

// prepare makes the credentials that a start is told about.
func (s *Service) prepare(ctx context.Context, b berth.Build) error {
	if s.opt.Credentials == nil || b.Transition != berth.Start {
		return nil
	}
	var c scene
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		c, err = s.sceneOf(q, b)
		return err
	})
	if err != nil {
		return err
	}
	if s.opt.SignIns != nil {
		s.opt.SignIns.Prepare(ctx, c.owner)
	}
	return s.opt.Credentials.Prepare(ctx, c.start(), c.version.Contents.External)
}

// settleLogins leaves a workspace the login that fits to how a build ended. A
// start that made something ends the logins of the starts before; one that made
// nothing ends its own.
func (s *Service) settleLogins(tx *store.Tx, w berth.Workspace, b berth.Build, made bool) error {
	if b.Transition != berth.Start {
		return credentials.EndLogins(tx, w.ID, "")
	}
	key, err := s.agentKey(&tx.Query, w.ID)
	if err != nil {
		return err
	}
	token := credentials.SessionToken(key, b.ID, "")
	if made {
		return credentials.EndLogins(tx, w.ID, token)
	}
	return credentials.EndLogin(tx, w.ID, token)
}

// Identity is what the workspace of a linked agent acts with. It holds secrets:
// it goes to that agent over its link and nowhere else.
func (s *Service) Identity(ctx context.Context, id berth.AgentID) (credentials.Identity, error) {
	var at credentials.Start
	scope := ""
	err := s.db.Read(ctx, func(q *store.Query) error {
		a, err := q.Agent(id)
		if err != nil {
			return err
		}
		row, err := q.WorkspaceRow(a.WorkspaceID)
		if err != nil {
			return err
		}
		at.Workspace, at.Owner, scope = row.Workspace, row.Owner, a.Scope
		if !row.DeletedAt.IsZero() || row.Owner.Status == berth.UserSuspended || row.Build.Build.Transition != berth.Start {
			return berth.Errorf(berth.Forbidden, "the workspace is being stopped, or its owner is suspended: it gets no credentials")
		}
		if at.Build, err = q.Build(a.BuildID); err != nil {
			return err
		}
		at.AgentKey, err = s.agentKey(q, a.WorkspaceID)
		return err
	})
	if err != nil {
		return credentials.Identity{}, err
	}
	identity, err := s.opt.Credentials.Identity(ctx, at)
	return identity.ForScope(scope), err
}
