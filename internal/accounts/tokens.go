package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

const (
	// DefaultTokenLifetime is that of an API token that does not say.
	DefaultTokenLifetime = 7 * 24 * time.Hour
	// MaxTokenLifetime bounds what one may ask for.
	MaxTokenLifetime = 5 * 365 * 24 * time.Hour

	tokenPrefix = "berth_"
	touchEvery  = time.Minute // a use is written down at most so often
)

var errToken = berth.Errorf(berth.Unauthenticated, "the token is unknown or has expired: sign in again with berth login URL")

// Authenticate tells whose token it is: unauthenticated for one that is
// unknown, expired, or whose user may not sign in. Using a login renews it.
func (s *Service) Authenticate(ctx context.Context, text string) (authz.Actor, berth.User, berth.Token, error) {
	var (
		token berth.Token
		user  berth.User
		actor authz.Actor
	)
	fail := func(err error) (authz.Actor, berth.User, berth.Token, error) {
		return authz.Actor{}, berth.User{}, berth.Token{}, err
	}
	if !strings.HasPrefix(text, tokenPrefix) || len(text) > 200 {
		return fail(errToken)
	}
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		if token, user, err = q.TokenByHash(hashToken(text)); err != nil {
			return err
		}
		if token.Kind == berth.TokenWorkspace {
			if err := running(q, token); err != nil {
				return err
			}
		}
		actor, err = ActorOf(q, token, user)
		return err
	})
	now := time.Now()
	switch {
	case errors.Is(err, berth.NotFound):
		return fail(errToken)
	case err != nil:
		return fail(err)
	case !now.Before(token.ExpiresAt):
		return fail(errToken)
	}
	if now.Sub(token.LastUsedAt) >= touchEvery {
		s.touch(ctx, token)
	}
	return actor, user, token, nil
}

// ActorOf is a user as the actor who comes with one of their tokens:
// unauthenticated when they may not sign in.
func ActorOf(q *store.Query, t berth.Token, u berth.User) (authz.Actor, error) {
	if !u.MaySignIn() {
		return authz.Actor{}, errToken
	}
	who, err := WhoIs(q, u)
	return authz.User(who, authz.ScopesOf(t, u)...), err
}

// WhoIs is a user with what the policy looks at.
func WhoIs(q *store.Query, u berth.User) (w authz.Who, err error) {
	w.User = u
	if w.Memberships, err = q.MembershipsOf(u.ID); err != nil {
		return w, err
	}
	w.Groups, err = q.GroupsOf(u.ID)
	return w, err
}

// running refuses the login of a workspace that is to be stopped or deleted, or
// is not its user's any more.
func running(q *store.Query, t berth.Token) error {
	w, err := q.Workspace(t.WorkspaceID)
	if err != nil {
		return err
	}
	newest, err := q.NewestBuild(t.WorkspaceID)
	if err == nil && (newest.Transition != berth.Start || !w.DeletedAt.IsZero() || w.OwnerID != t.UserID) {
		return errToken
	}
	return err
}

// touch writes a use down. That it could not be written, with a full disk for
// example, is no reason to keep people out.
func (s *Service) touch(ctx context.Context, t berth.Token) {
	_ = s.db.Guarded(ctx, func(tx *store.Tx) error {
		expires := t.ExpiresAt
		if t.Kind == berth.TokenLogin {
			expires = tx.Now.Add(LoginLifetime)
		}
		return tx.TouchToken(t.ID, expires, tx.Now.Add(-touchEvery))
	})
}

// CreateToken makes an API token for the actor and gives its text, which is
// shown once. No lifetime means DefaultTokenLifetime.
func (s *Service) CreateToken(ctx context.Context, actor authz.Actor, name string, lifetime time.Duration) (string, berth.Token, error) {
	if err := authz.Check(actor, authz.Create, authz.OfToken(actor.UserID), "your tokens"); err != nil {
		return "", berth.Token{}, err
	}
	if err := berth.ValidateName("name", name); err != nil {
		return "", berth.Token{}, err
	}
	if lifetime == 0 {
		lifetime = DefaultTokenLifetime
	}
	if lifetime < time.Minute || lifetime > MaxTokenLifetime {
		return "", berth.Token{}, berth.InvalidField("lifetime_seconds", "a token lasts between a minute and %d days", int(MaxTokenLifetime.Hours()/24))
	}
	text, token := newToken(actor.UserID, berth.TokenAPI, name)
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		// A name becomes free when its token expires, whether or not that was
		// cleaned up already.
		if err := tx.DeleteExpiredOf(actor.UserID); err != nil {
			return err
		}
		token.CreatedAt, token.ExpiresAt = tx.Now, tx.Now.Add(lifetime)
		if err := tx.InsertToken(token); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "create", Kind: "token", TargetID: string(token.ID), TargetName: name,
			Detail: map[string]any{"expires_at": token.ExpiresAt}})
	})
	if err != nil {
		return "", berth.Token{}, err
	}
	return text, token, nil
}

// Tokens lists the actor's tokens that have not expired, newest first.
func (s *Service) Tokens(ctx context.Context, actor authz.Actor) (tokens []berth.Token, err error) {
	if err := authz.Check(actor, authz.Read, authz.OfToken(actor.UserID), "the list of your tokens"); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		tokens, err = q.Tokens(actor.UserID, time.Now())
		return err
	})
	return tokens, err
}

// RemoveToken ends one of the actor's tokens, named by id or, an API token, by
// name.
func (s *Service) RemoveToken(ctx context.Context, actor authz.Actor, idOrName string) error {
	if err := authz.Check(actor, authz.Delete, authz.OfToken(actor.UserID), "the token"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		tokens, err := tx.Tokens(actor.UserID, tx.Now)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if string(t.ID) != idOrName && (t.Kind != berth.TokenAPI || t.Name != idOrName) {
				continue
			}
			if err := tx.DeleteToken(actor.UserID, t.ID); err != nil {
				return err
			}
			return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "delete", Kind: "token", TargetID: string(t.ID), TargetName: t.Name})
		}
		return berth.Errorf(berth.NotFound, "you have no token %q: berth tokens list shows those that you have", idOrName)
	})
}

// CleanTokens removes expired tokens, some at a time, and tells how many.
func (s *Service) CleanTokens(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		n, err = tx.DeleteExpired(tx.Now, 1000)
		return err
	})
	return n, err
}

// newToken makes a token and its text: 24 random bytes behind a prefix by which
// leaked ones can be found.
func newToken(u berth.UserID, kind berth.TokenKind, name string) (string, berth.Token) {
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on a machine that can run us
	}
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	return text, berth.Token{ID: berth.NewID[berth.Token](), UserID: u, Kind: kind, Name: name, Hash: hashToken(text), Scopes: []string{string(authz.ScopeAll)}}
}

func hashToken(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
