package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/claims"
	"github.com/berthdev/berth/internal/store"
)

// admit signs in whom a provider speaks of: the user of the identity, the one
// who was made for it, or a new one. With becomes it is this user who signs in
// so from now on.
func (s *Service) admit(ctx context.Context, p *Provider, becomes berth.UserID, said answer) (login accounts.Login, err error) {
	who, err := p.Read(said.claims)
	if err != nil {
		return login, s.failed(ctx, p, who, err)
	}
	sealed, err := s.sealTokens(p, who.Subject, said.tokens)
	if err != nil {
		return login, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		u, err := s.userOf(tx, p, who, becomes)
		if err != nil {
			return err
		}
		i := store.Identity{Provider: p.ID, Subject: who.Subject, UserID: u.ID, Username: who.Username, Email: who.Email, Sealed: sealed, ExpiresAt: said.tokens.ExpiresAt}
		if p.asksAgain(said.tokens) {
			i.NextAt = tx.Now.Add(p.recheck)
		}
		if err := tx.PutIdentity(i); err != nil {
			return err
		}
		if err := s.apply(tx, p, u, who); err != nil {
			return err
		}
		login, err = accounts.SignedIn(tx, u.ID, berth.SignIn(p.ID))
		return err
	})
	if err != nil {
		return login, s.failed(ctx, p, who, err)
	}
	if len(who.Skipped) > 0 {
		s.opt.Log.Info("groups of an identity provider have no name here: give them one in groups.mapping", "provider", p.ID, "user", login.User.Username, "groups", who.Skipped)
	}
	return login, nil
}

// asksAgain tells whether there is something to ask the provider again with.
func (p *Provider) asksAgain(t tokens) bool {
	return p.recheck > 0 && (t.Refresh != "" || p.Type == typeGitHub)
}

// userOf is who an identity is, made where that may be.
func (s *Service) userOf(tx *store.Tx, p *Provider, who claims.Person, becomes berth.UserID) (berth.User, error) {
	i, err := tx.Identity(p.ID, who.Subject)
	switch {
	case errors.Is(err, berth.NotFound):
	case err != nil:
		return berth.User{}, err
	default:
		return s.known(tx, p, i, becomes)
	}
	if becomes != "" {
		return convert(tx, p, becomes)
	}
	u, err := tx.UserWithEmail(who.Email)
	switch {
	case errors.Is(err, berth.NotFound):
	case err != nil:
		return u, err
	default:
		return u, s.reserved(tx, p, u, who)
	}
	if !*p.SignUps {
		return u, berth.Errorf(berth.Forbidden, "there is no account for you here: ask an administrator to make one for %s", who.Email)
	}
	return s.signUp(tx, p, who)
}

// known is the user of an identity that signed in before.
func (s *Service) known(tx *store.Tx, p *Provider, i store.Identity, becomes berth.UserID) (berth.User, error) {
	u, err := tx.User(i.UserID)
	switch {
	case err != nil:
		return u, err
	case becomes != "" && becomes != u.ID:
		return u, berth.Errorf(berth.Conflict, "this account of %s is another user's here already: sign in there with another one", p.Name)
	case becomes != "":
		return convert(tx, p, becomes)
	case !u.MaySignIn():
		return u, berth.Errorf(berth.Forbidden, "your account here is suspended: ask an administrator")
	case u.SignIn != berth.SignIn(p.ID):
		return u, berth.Errorf(berth.Forbidden, "you sign in to your account here in another way: %s", wayOf(u.SignIn))
	}
	return u, nil
}

// reserved tells whether somebody of an e-mail address that is a user's here may
// be that user: they were made to sign in so and never did, and the provider
// stands for the address. An address alone says nothing.
func (s *Service) reserved(tx *store.Tx, p *Provider, u berth.User, who claims.Person) error {
	_, err := tx.IdentityOf(u.ID, p.ID)
	switch {
	case err != nil && !errors.Is(err, berth.NotFound):
		return err
	case u.SignIn == berth.SignIn(p.ID) && err == nil:
		return berth.Errorf(berth.Conflict, "the account of %s here belongs to another account of %s: ask an administrator", who.Email, p.Name)
	case u.SignIn != berth.SignIn(p.ID):
		return berth.Errorf(berth.Conflict, "there is an account of %s here that signs in in another way: sign in so (%s), and change it there to %s", who.Email, wayOf(u.SignIn), p.Name)
	case !who.EmailVerified:
		return berth.Errorf(berth.Forbidden, "%s does not say that it has verified your e-mail address, so it could be anybody's: ask an administrator", p.Name)
	case !u.MaySignIn():
		return berth.Errorf(berth.Forbidden, "your account here is suspended: ask an administrator")
	}
	return nil
}

func wayOf(how berth.SignIn) string {
	switch how {
	case berth.SignInPassword:
		return "by password"
	case berth.SignInNone:
		return "with tokens alone"
	}
	return "by " + string(how)
}

// mostNames is how many usernames are tried.
const mostNames = 50

// signUp makes a new user, under a username that is free.
func (s *Service) signUp(tx *store.Tx, p *Provider, who claims.Person) (u berth.User, err error) {
	in := accounts.NewUser{Email: who.Email, Name: who.Name, SignIn: berth.SignIn(p.ID), Status: berth.UserActive,
		Detail: map[string]any{"by": p.ID}}
	if who.Organizations != nil {
		in.Organizations = []berth.OrganizationID{} // apply has them
	}
	for n := 1; n <= mostNames; n++ {
		in.Username = numbered(who.Username, n)
		if accounts.ValidateUsername("username", in.Username) != nil {
			continue
		}
		_, err := tx.UserNamed(in.Username)
		if errors.Is(err, berth.NotFound) {
			return s.opt.Accounts.NewUserIn(tx, in)
		}
		if err != nil {
			return u, err
		}
	}
	return u, berth.Errorf(berth.Conflict, "the username %s and %d like it are taken: ask an administrator to make an account for %s", who.Username, mostNames, who.Email)
}

// numbered is the n-th form of a name: ana, ana-2, …
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	behind := fmt.Sprintf("-%d", n)
	if len(name)+len(behind) > berth.MaxNameLength {
		name = strings.TrimRight(name[:berth.MaxNameLength-len(behind)], "-")
	}
	return name + behind
}

// failed notes a sign-in that came to nothing, for the record.
func (s *Service) failed(ctx context.Context, p *Provider, who claims.Person, err error) error {
	code := berth.ErrorCode(err)
	if code == berth.Internal || ctx.Err() != nil {
		return err
	}
	noted := s.db.Write(ctx, func(tx *store.Tx) error {
		a := store.Audit{Class: berth.AuditSignIn, Action: "login", Kind: "user", Result: string(code), TargetName: who.Username,
			Reason: berth.ErrorMessage(err), Detail: map[string]any{"by": p.ID, "subject": who.Subject, "email": who.Email}}
		if i, err := tx.Identity(p.ID, who.Subject); err == nil {
			if u, err := tx.User(i.UserID); err == nil {
				a.TargetID, a.TargetName = string(u.ID), u.Username
			}
		}
		return tx.InsertAudit(a)
	})
	if noted != nil {
		s.opt.Log.Warn("a failed sign-in could not be recorded", "error", noted)
	}
	return err
}

func (s *Service) sealTokens(p *Provider, subject string, t tokens) ([]byte, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	sealed, err := s.keys.Seal(plain, IdentityBound(p.ID, subject))
	if err != nil {
		return nil, fmt.Errorf("sealing tokens: %w", err)
	}
	return sealed, nil
}

func (s *Service) openTokens(i store.Identity) (t tokens, err error) {
	plain, err := s.keys.Open(i.Sealed, IdentityBound(i.Provider, i.Subject))
	if err != nil {
		return t, fmt.Errorf("opening the tokens of user %s at %s: %w", i.UserID, i.Provider, err)
	}
	return t, json.Unmarshal(plain, &t)
}

// ending tells whether tokens have so little time left that they should be
// refreshed: five minutes, or the last quarter of a short life.
func ending(i store.Identity, now time.Time) bool {
	if i.ExpiresAt.IsZero() {
		return false
	}
	return !now.Before(i.ExpiresAt.Add(-min(5*time.Minute, i.ExpiresAt.Sub(i.UpdatedAt)/4)))
}
