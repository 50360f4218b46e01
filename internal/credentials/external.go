package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// ExternalView is a provider with the actor's sign-in at it, if there is one.
type ExternalView struct {
	Provider *Provider
	SignIn   string // URL for the browser
	Linked   bool
	Login    berth.ExternalLogin
}

// ExternalToken is an access token for a provider's service.
type ExternalToken struct {
	Provider  *Provider
	Access    string
	Type      string
	ExpiresAt time.Time // zero: not known to expire
	Extra     map[string]any
}

// Externals lists the providers with the actor's sign-ins.
func (s *Service) Externals(ctx context.Context, actor authz.Actor) ([]ExternalView, error) {
	if err := authz.Check(actor, authz.Read, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return nil, err
	}
	var logins []berth.ExternalLogin
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		logins, err = q.ExternalLogins(actor.UserID)
		return err
	})
	views := make([]ExternalView, len(s.providers))
	for i, p := range s.providers {
		views[i] = ExternalView{Provider: p, SignIn: s.SignInURL(p.ID)}
		for _, l := range logins {
			if l.Provider == p.ID {
				views[i].Linked, views[i].Login = true, l
			}
		}
	}
	return views, err
}

// ExternalToken is a good access token of the actor for a provider. One who has
// not signed in there gets a conflict that says where to.
func (s *Service) ExternalToken(ctx context.Context, actor authz.Actor, id string) (ExternalToken, error) {
	if err := authz.Check(actor, authz.Use, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return ExternalToken{}, err
	}
	p, err := s.provider(id)
	if err != nil {
		return ExternalToken{}, err
	}
	t, err := s.use(ctx, actor.UserID, p)
	return ExternalToken{Provider: p, Access: t.Access, Type: t.Type, ExpiresAt: t.ExpiresAt, Extra: t.Extra}, err
}

// MatchExternal is the provider for a repository's URL.
func (s *Service) MatchExternal(actor authz.Actor, repository string) (*Provider, error) {
	if err := authz.Check(actor, authz.Read, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return nil, err
	}
	for _, p := range s.providers {
		if p.Matches(repository) {
			return p, nil
		}
	}
	return nil, berth.Errorf(berth.NotFound, "this server has no external sign-in for that repository: use SSH, or ask an administrator to add one")
}

// RevokeExternal forgets the actor's sign-in at a provider, and tells the
// provider. told is false where that could not be done: the tokens are good there
// until they expire, or the person ends them there.
func (s *Service) RevokeExternal(ctx context.Context, actor authz.Actor, id string) (told bool, err error) {
	if err := authz.Check(actor, authz.Delete, authz.OfExternal(actor.UserID), "your external sign-ins"); err != nil {
		return false, err
	}
	p, err := s.provider(id)
	if err != nil {
		return false, err
	}
	var sealed []byte
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		l, err := tx.ExternalLogin(actor.UserID, p.ID)
		if errors.Is(err, berth.NotFound) {
			return berth.Errorf(berth.NotFound, "you have not signed in to %s: berth external-auth list shows where you have", p.Name)
		}
		if err != nil {
			return err
		}
		sealed = l.Sealed
		if err := tx.DeleteExternalLogin(actor.UserID, p.ID); err != nil {
			return err
		}
		return auditExternal(tx, actor.UserID, "revoke", p, l.Account)
	})
	if err != nil {
		return false, err
	}
	t, err := s.openTokens(actor.UserID, p.ID, sealed)
	if err != nil {
		s.opt.Log.Error("tokens cannot be opened, so they were forgotten and not revoked", "user", actor.UserID, "provider", p.ID, "error", err)
		return false, nil
	}
	told, err = s.revoke(ctx, p, t)
	if err != nil {
		s.opt.Log.Warn("an external service was not told of a revoked sign-in", "provider", p.ID, "error", err)
	}
	return told, nil
}

// Linked refuses, with where to sign in, when a user lacks a sign-in in need. It
// asks no provider.
func (s *Service) Linked(q *store.Query, u berth.UserID, need []berth.ExternalNeed) error {
	for _, n := range need {
		if n.Optional {
			continue
		}
		p, err := s.provider(n.ID)
		if err != nil {
			return berth.Errorf(berth.Conflict, "the template needs the external sign-in %q, which this server does not offer: ask an administrator to add it to --external-auth", n.ID)
		}
		l, err := q.ExternalLogin(u, p.ID)
		switch {
		case errors.Is(err, berth.NotFound):
			return s.signInFirst(p, fmt.Sprintf("the template needs a sign-in to %s", p.Name))
		case err != nil:
			return err
		case l.Refused != "":
			return s.signInFirst(p, fmt.Sprintf("the template needs a sign-in to %s, and %s", p.Name, l.Refused))
		}
	}
	return nil
}

// Offers tells whether there is a provider of an id.
func (s *Service) Offers(id string) bool {
	_, err := s.provider(id)
	return err == nil
}

// ProviderName is how people know a provider.
func (s *Service) ProviderName(id string) string {
	if p, err := s.provider(id); err == nil {
		return p.Name
	}
	return id
}

func (s *Service) provider(id string) (*Provider, error) {
	for _, p := range s.providers {
		if strings.EqualFold(p.ID, id) {
			return p, nil
		}
	}
	return nil, berth.Errorf(berth.NotFound, "this server has no external sign-in %q: berth external-auth list shows those that it has", id)
}

// signInFirst is the answer to somebody whose sign-in is missing or over.
func (s *Service) signInFirst(p *Provider, why string) error {
	return &berth.Error{Code: berth.Conflict, Field: "url",
		Message: fmt.Sprintf("%s: run berth external-auth login %s on your computer, or open %s", why, p.ID, s.SignInURL(p.ID))}
}

// stored is what a user's login at a provider holds now, refreshed or not; ok is
// false when there is none that works.
func (s *Service) stored(q *store.Query, u berth.UserID, provider string) (t tokens, ok bool, err error) {
	p, err := s.provider(provider)
	if err != nil {
		return t, false, nil
	}
	l, err := q.ExternalLogin(u, p.ID)
	if errors.Is(err, berth.NotFound) || err == nil && l.Refused != "" {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	t, err = s.openTokens(u, p.ID, l.Sealed)
	return t, err == nil, err
}

func (s *Service) sealTokens(u berth.UserID, provider string, t tokens) ([]byte, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return s.keys.Seal(plain, ExternalBound(u, provider))
}

func (s *Service) openTokens(u berth.UserID, provider string, sealed []byte) (t tokens, err error) {
	plain, err := s.keys.Open(sealed, ExternalBound(u, provider))
	if err != nil {
		return t, fmt.Errorf("opening the sign-in of user %s at %s: %w", u, provider, err)
	}
	return t, json.Unmarshal(plain, &t)
}

func auditExternal(tx *store.Tx, u berth.UserID, action string, p *Provider, account string) error {
	return tx.InsertAudit(store.Audit{ActorID: u, Action: action, Kind: "external-auth", TargetID: p.ID, TargetName: p.Name, Detail: map[string]any{"account": account}})
}

// ExternalBound binds sealed tokens to their user and provider.
func ExternalBound(u berth.UserID, provider string) []byte {
	return []byte("berth external login of user " + string(u) + " at " + provider)
}
