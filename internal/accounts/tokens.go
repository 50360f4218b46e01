package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
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
	if now.Sub(token.LastUsedAt) >= touchEvery || s.places.fresh(token.ID, store.OriginOf(ctx), now) {
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
	actor := authz.User(who, authz.ScopesOf(t, u)...)
	if err != nil || t.Kind != berth.TokenWorkspace {
		return actor, err
	}
	w, err := q.Workspace(t.WorkspaceID)
	if errors.Is(err, berth.NotFound) {
		return authz.Actor{}, errToken
	}
	if err != nil {
		return actor, err
	}
	// Templates decide what runs in a workspace, and those of one organization
	// have no business in another one.
	actor.Home = w.OrganizationID
	actor.Memberships = slices.DeleteFunc(slices.Clone(actor.Memberships), func(m berth.Membership) bool { return m.OrganizationID != w.OrganizationID })
	grants, err := q.Grants(store.WorkspaceGrants(t.WorkspaceID))
	if len(grants) > 0 {
		actor.Shared = t.WorkspaceID
	}
	return actor, err
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

// seenEvery is how exactly it is kept when somebody was there.
const seenEvery = 5 * time.Minute

// touch writes a use down. That it could not be written, with a full disk for
// example, is no reason to keep people out.
func (s *Service) touch(ctx context.Context, t berth.Token) {
	_ = s.db.Guarded(ctx, func(tx *store.Tx) error {
		expires := t.ExpiresAt
		if t.Kind == berth.TokenLogin {
			expires = tx.Now.Add(LoginLifetime)
		}
		if err := tx.TouchToken(t.ID, expires, tx.Now.Add(-touchEvery)); err != nil {
			return err
		}
		if err := tx.UseToken(t); err != nil || t.Kind == berth.TokenWorkspace {
			return err // what runs in a workspace is not the person
		}
		return tx.SawUser(t.UserID, tx.Now.Add(-seenEvery))
	})
}

// NewToken says what token to make.
type NewToken struct {
	Name     string
	Lifetime time.Duration // 0: DefaultTokenLifetime
	Scopes   []string      // none: all that the actor's own login carries
	User     string        // username or id; empty or "me": the actor
}

// CreateToken makes an API token and gives its text, which is shown once. Owners
// of the site make them for others too, for programs that have a user of their
// own. No token carries more than the one that it was made with.
func (s *Service) CreateToken(ctx context.Context, actor authz.Actor, in NewToken) (string, berth.Token, error) {
	fail := func(err error) (string, berth.Token, error) { return "", berth.Token{}, err }
	// Before the input is looked at, and again when it is written down.
	err := s.db.Read(ctx, func(q *store.Query) error {
		_, err := whose(q, actor, authz.Create, in.User)
		return err
	})
	if err != nil {
		return fail(err)
	}
	if err := berth.ValidateName("name", in.Name); err != nil {
		return fail(err)
	}
	if in.Lifetime == 0 {
		in.Lifetime = min(DefaultTokenLifetime, s.opt.MaxTokenLifetime)
	}
	if in.Lifetime < time.Minute || in.Lifetime > s.opt.MaxTokenLifetime {
		return fail(berth.InvalidField("lifetime_seconds", "a token lasts between a minute and %s", spell(s.opt.MaxTokenLifetime)))
	}
	scopes, err := scopesFor(actor, in.Scopes)
	if err != nil {
		return fail(err)
	}
	var text string
	var token berth.Token
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := whose(&tx.Query, actor, authz.Create, in.User)
		if err != nil {
			return err
		}
		if !u.MaySignIn() {
			return berth.Errorf(berth.Conflict, "%s is suspended: activate the user first", u.Username)
		}
		// A name becomes free when its token expires, whether or not that was
		// cleaned up already.
		if err := tx.DeleteExpiredOf(u.ID); err != nil {
			return err
		}
		text, token = newToken(u.ID, berth.TokenAPI, in.Name)
		token.Scopes, token.SignIn, token.CreatedAt, token.ExpiresAt = scopes, berth.SignInNone, tx.Now, tx.Now.Add(in.Lifetime)
		if err := tx.InsertToken(token); err != nil {
			return err
		}
		return recordToken(tx, actor, "create", token, u, map[string]any{"expires_at": token.ExpiresAt, "scopes": scopes})
	})
	if err != nil {
		return fail(err)
	}
	return text, token, nil
}

// scopesFor are the scopes of a new token: those that are asked for, as far as
// the actor has them, or the actor's own.
func scopesFor(actor authz.Actor, asked []string) ([]string, error) {
	scopes, err := authz.ParseScopes("scopes", asked)
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		scopes = actor.Scopes
	}
	if !actor.Covers(scopes) {
		return nil, berth.Errorf(berth.Forbidden, "a token cannot make one that may do more than itself: ask for a scope that yours has, or sign in with berth login")
	}
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return texts, nil
}

// spell is a length of time in a sentence.
func spell(d time.Duration) string {
	if days := int(d.Hours() / 24); days > 1 {
		return fmt.Sprintf("%d days", days)
	}
	return d.String()
}

// whose is the user of tokens that the actor may do something to: themselves, or
// another for owners of the site.
func whose(q *store.Query, actor authz.Actor, action authz.Action, ref string) (berth.User, error) {
	if ref == "" || authz.Me(ref) {
		if err := authz.Check(actor, action, authz.OfToken(actor.UserID), "your tokens"); err != nil {
			return berth.User{}, err
		}
		return q.User(actor.UserID)
	}
	noun := "the user " + ref
	if err := authz.Barred(actor, action, authz.KindToken); err != nil {
		return berth.User{}, err
	}
	u, err := q.UserRef(ref)
	if errors.Is(err, berth.NotFound) || err == nil && u.System {
		return u, authz.Missing(actor, action, authz.KindToken, noun)
	}
	if err != nil {
		return u, err
	}
	return u, authz.Check(actor, action, authz.OfToken(u.ID), noun)
}

func recordToken(tx *store.Tx, actor authz.Actor, action string, t berth.Token, u berth.User, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["kind"] = string(t.Kind)
	if u.ID != actor.UserID {
		detail["user"] = u.Username
	}
	return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: "token", TargetID: string(t.ID), TargetName: t.Name, Detail: detail})
}

// Tokens lists a user's tokens that have not expired, newest first: the actor's
// own where ref is empty or "me".
func (s *Service) Tokens(ctx context.Context, actor authz.Actor, ref string) (tokens []berth.Token, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, err := whose(q, actor, authz.Read, ref)
		if err != nil {
			return err
		}
		tokens, err = q.Tokens(u.ID, time.Now())
		return err
	})
	return tokens, err
}

// TokenUses is from where a user's tokens were used, the newest first: all, or
// that of an id, also when it is gone.
func (s *Service) TokenUses(ctx context.Context, actor authz.Actor, ref, token string) (uses []berth.TokenUse, err error) {
	if token != "" && !berth.IsID(token) {
		return nil, berth.InvalidField("token", "%q is not the id of a token: berth tokens list shows them", token)
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, err := whose(q, actor, authz.Read, ref)
		if err != nil {
			return err
		}
		uses, err = q.TokenUses(u.ID, berth.TokenID(token), maxUses)
		return err
	})
	return uses, err
}

const maxUses = 500 // shown at once

// RemoveToken ends one of a user's tokens, named by id or, an API token, by
// name.
func (s *Service) RemoveToken(ctx context.Context, actor authz.Actor, ref, idOrName string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := whose(&tx.Query, actor, authz.Delete, ref)
		if err != nil {
			return err
		}
		tokens, err := tx.Tokens(u.ID, tx.Now)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if string(t.ID) != idOrName && (t.Kind != berth.TokenAPI || t.Name != idOrName) {
				continue
			}
			if err := tx.DeleteToken(u.ID, t.ID); err != nil {
				return err
			}
			return recordToken(tx, actor, "delete", t, u, nil)
		}
		if u.ID != actor.UserID {
			return berth.Errorf(berth.NotFound, "%s has no token %q: berth tokens list --user %s shows those that there are", u.Username, idOrName, u.Username)
		}
		return berth.Errorf(berth.NotFound, "you have no token %q: berth tokens list shows those that you have", idOrName)
	})
}

// RemoveTokens ends everything that a user signs in with at this moment: logins
// and tokens for programs. It tells how many there were. Workspaces keep their
// own logins, which end with their stop.
func (s *Service) RemoveTokens(ctx context.Context, actor authz.Actor, ref string) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := whose(&tx.Query, actor, authz.Delete, ref)
		if err != nil {
			return err
		}
		if n, err = tx.EndTokens(u.ID); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "logout", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
			Detail: map[string]any{"tokens": n}})
	})
	return n, err
}

// keepUses is how long it is kept from where a token was used.
const keepUses = 180 * 24 * time.Hour

// CleanTokens removes expired tokens, and from where tokens were used long ago,
// some at a time, and tells how many tokens there were.
func (s *Service) CleanTokens(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if n, err = tx.DeleteExpired(tx.Now, 1000); err != nil {
			return err
		}
		_, err = tx.DeleteTokenUses(tx.Now.Add(-keepUses), 1000)
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
