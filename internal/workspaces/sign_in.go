package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// SignIns knows how people sign in.
type SignIns interface {
	// Prepare makes the access token of somebody fresh, as well as that can be.
	Prepare(ctx context.Context, u berth.User)
	// AccessToken is that of somebody at their identity provider; empty: none.
	AccessToken(q *store.Query, u berth.User) (string, error)
	// LoginType is what templates are told.
	LoginType(u berth.User) string
}

// loginType is how templates are told that somebody signs in: password, none,
// oidc or github. Without a SignIns every identity provider is oidc.
func (s *Service) loginType(u berth.User) string {
	switch {
	case s.opt.SignIns != nil:
		return s.opt.SignIns.LoginType(u)
	case u.SignIn == berth.SignInPassword, u.SignIn == berth.SignInNone:
		return string(u.SignIn)
	default:
		return "oidc"
	}
}

// signInEnv adds the access token of a build's owner at their identity provider.
func (s *Service) signInEnv(q *store.Query, b berth.Build, owner berth.User, env map[string]string) error {
	if s.opt.SignIns == nil {
		return nil
	}
	if b.Transition != berth.Start {
		return nil
	}
	token, err := s.opt.SignIns.AccessToken(q, owner)
	if token != "" {
		env["CODER_WORKSPACE_OWNER_OIDC_ACCESS_TOKEN"] = token
	}
	return err
}
