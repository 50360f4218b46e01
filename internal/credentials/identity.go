package credentials

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Start is one start of a workspace, with what belongs to it.
type Start struct {
	Workspace berth.Workspace
	Owner     berth.User
	Build     berth.Build
	AgentKey  []byte // opened
}

// Token is the text of the start's own login.
func (s Start) Token() string { return SessionToken(s.AgentKey, s.Build.ID, "") }

// Identity is what a workspace acts with. It holds secrets.
type Identity struct {
	Owner           berth.User
	Token           string
	Build           berth.Build
	Public, Private string // SSH key pair
	Secrets         []SecretValue
	External        []*Provider
}

// SecretValue is a secret with its value in clear.
type SecretValue struct {
	berth.Secret
	Value string
}

// Identity gathers what the workspace of a start acts with, and makes its login
// good.
func (s *Service) Identity(ctx context.Context, at Start) (Identity, error) {
	id := Identity{Owner: at.Owner, Token: at.Token(), Build: at.Build, External: s.providers}
	if _, err := s.EnsureSSHKey(ctx, at.Owner.ID); err != nil {
		return id, err
	}
	if err := s.EnsureLogin(ctx, at.Workspace, id.Token); err != nil {
		return id, err
	}
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		if id.Public, id.Private, err = s.sshPair(q, at.Owner.ID); err != nil {
			return err
		}
		id.Secrets, err = s.values(q, at.Owner.ID)
		return err
	})
	return id, err
}

// ForScope is what of an identity an agent may have, by the scope that its
// template gives it: without user data, it is only told whose workspace it is,
// and gets no login, by which it could ask for the rest.
func (id Identity) ForScope(scope string) Identity {
	if scope == berth.ScopeNoUserData {
		id.Token, id.Public, id.Private, id.Secrets, id.External = "", "", "", nil, nil
	}
	return id
}

// values are the secrets of a user that are not disabled. One that cannot be
// opened is left out, and said in the log: the others are of use without it.
func (s *Service) values(q *store.Query, u berth.UserID) ([]SecretValue, error) {
	sealed, err := q.SealedSecrets(u)
	if err != nil {
		return nil, err
	}
	var list []SecretValue
	for _, v := range sealed {
		plain, err := s.keys.Open(v.Sealed, SecretBound(v.ID))
		if err != nil {
			s.opt.Log.Error("a secret cannot be opened", "user", u, "secret", v.Name, "error", err)
			continue
		}
		list = append(list, SecretValue{v.Secret, string(plain)})
	}
	return list, nil
}

// Watch gives a channel that is rung when something changed that a user's
// workspaces act with, and what ends the watching. Rings are hints.
func (s *Service) Watch(u berth.UserID) (<-chan struct{}, func()) {
	return s.db.Waits(store.UserTopic(u))
}

// Prepare makes what the plugins of a start are told about: the key pair, the
// workspace's login, and fresh tokens of the external sign-ins in need. What an
// external service refuses does not hinder the start.
func (s *Service) Prepare(ctx context.Context, at Start, need []berth.ExternalNeed) error {
	if _, err := s.EnsureSSHKey(ctx, at.Owner.ID); err != nil {
		return err
	}
	if err := s.EnsureLogin(ctx, at.Workspace, at.Token()); err != nil {
		return err
	}
	s.refreshAll(ctx, at, need)
	return nil
}

// prepareTime is how long a build waits for external services. It is well below
// the lease of a build that was taken.
const prepareTime = 10 * time.Second

// refreshAll makes the tokens of the sign-ins in need fresh, all at once. What is
// not done in time goes on without the build.
func (s *Service) refreshAll(ctx context.Context, at Start, need []berth.ExternalNeed) {
	var all sync.WaitGroup
	for _, n := range need {
		p, err := s.provider(n.ID)
		if err != nil {
			continue
		}
		all.Go(func() {
			if _, err := s.use(context.WithoutCancel(ctx), at.Owner.ID, p); err != nil {
				s.opt.Log.Info("a build goes without an external sign-in", "build", at.Build.ID, "provider", p.ID, "error", err)
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(prepareTime):
		s.opt.Log.Warn("external services answer slowly; a build goes on without them", "build", at.Build.ID)
	}
}

// BuildEnv is what the plugins of a build are told of its owner's credentials,
// after Prepare: what its version asks for, and no more. It holds secrets.
func (s *Service) BuildEnv(q *store.Query, at Start, asks berth.Contents) (map[string]string, error) {
	env := map[string]string{}
	if at.Build.Transition == berth.Start {
		env["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] = at.Token()
	}
	public, private, err := s.sshPair(q, at.Owner.ID)
	if err != nil {
		return nil, err
	}
	env["CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY"], env["CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY"] = public, private
	for _, n := range asks.External {
		t, ok, err := s.stored(q, at.Owner.ID, n.ID)
		if err != nil {
			return nil, fmt.Errorf("reading the sign-in %s: %w", n.ID, err)
		}
		if ok {
			env["CODER_EXTERNAL_AUTH_ACCESS_TOKEN_"+n.ID] = t.Access
		}
	}
	return env, s.secretEnv(q, at.Owner.ID, asks.Secrets, env)
}
