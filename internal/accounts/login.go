package accounts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// LoginLifetime is how long a login lasts after its last use.
const LoginLifetime = 30 * 24 * time.Hour

// errLogin is the one answer to every wrong login: it must not tell whether the
// user exists.
var errLogin = berth.Errorf(berth.Unauthenticated, "the username or the password is wrong")

// Login signs in by username or e-mail address and password, and gives the text
// of a new token. remoteAddr is where the person comes from, for the limit.
func (s *Service) Login(ctx context.Context, username, password, remoteAddr string) (string, berth.Token, berth.User, error) {
	fail := func(err error) (string, berth.Token, berth.User, error) {
		return "", berth.Token{}, berth.User{}, err
	}
	if err := s.tries.take(username, remoteAddr, time.Now()); err != nil {
		return fail(err)
	}
	if len(password) > berth.MaxPasswordLength || len(username) > 254 {
		return fail(errLogin)
	}
	u, hash, err := s.credentials(ctx, username)
	if err != nil {
		return fail(err)
	}
	account := string(u.ID)
	if account == "" {
		account = "name " + strings.ToLower(username)
	}
	if err := s.tries.takeAccount(account, time.Now()); err != nil {
		if known, lookErr := s.known(ctx, u.ID, remoteAddr); lookErr != nil || !known {
			return fail(err)
		}
	}
	if !u.MaySignIn() || u.SignIn != berth.SignInPassword {
		hash = ""
	}
	ok, err := s.hashes.verify(ctx, hash, password)
	if err != nil {
		return fail(err)
	}
	if !ok {
		return fail(errLogin)
	}
	if s.opt.PasswordOwnersOnly && !slices.Contains(u.Roles, berth.RoleOwner) {
		return fail(berth.Errorf(berth.Forbidden, "only owners of the site sign in by password here: sign in by an identity provider, with berth login URL or in the browser"))
	}
	var login Login
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		switch now, err := tx.PasswordHash(u.ID); {
		case err != nil:
			return err
		case now != hash: // it was changed while we looked at it, which ended all logins
			return errLogin
		}
		login, err = SignedIn(tx, u.ID, berth.SignInPassword)
		return err
	})
	if err != nil {
		return fail(err)
	}
	s.tries.forget(username, remoteAddr)
	s.tries.giveBack(account)
	return login.Text, login.Token, login.User, nil
}

// knownFor is how long a place counts as one where somebody was let in.
const knownFor = 30 * 24 * time.Hour

// known tells whether a user was let in lately from where a request comes.
func (s *Service) known(ctx context.Context, u berth.UserID, remoteAddr string) (known bool, err error) {
	if u == "" {
		return false, nil
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		known, err = q.UsedFrom(u, hostOf(remoteAddr), time.Now().Add(-knownFor))
		return err
	})
	return known, err
}

// Login is what a person has after signing in.
type Login struct {
	Text  string // of the token; not kept
	Token berth.Token
	User  berth.User
}

// SignedIn makes the login of somebody who has just proved who they are, how
// says by what. It is the one place where logins are made: it looks at the user
// anew, refuses who may not sign in, or not so, with the answer to a wrong
// password, and wakes who was dormant.
func SignedIn(tx *store.Tx, id berth.UserID, how berth.SignIn) (Login, error) {
	u, err := tx.User(id) // they may have been suspended, or signed in otherwise, meanwhile
	if errors.Is(err, berth.NotFound) || err == nil && (!u.MaySignIn() || u.SignIn == berth.SignInNone || u.SignIn != how) {
		return Login{}, errLogin
	}
	if err != nil {
		return Login{}, err
	}
	if err := tx.SawUser(u.ID, tx.Now); err != nil {
		return Login{}, err
	}
	if u.SeenAt = tx.Now; u.Status == berth.UserDormant {
		u.Status = berth.UserActive
	}
	text, token := newToken(u.ID, berth.TokenLogin, "login")
	token.SignIn, token.CreatedAt, token.ExpiresAt, token.LastUsedAt = how, tx.Now, tx.Now.Add(LoginLifetime), tx.Now
	if err := tx.InsertToken(token); err != nil {
		return Login{}, err
	}
	if err := tx.UseToken(token); err != nil {
		return Login{}, err
	}
	return Login{text, token, u}, tx.InsertAudit(store.Audit{Class: berth.AuditSignIn, ActorID: u.ID, Action: "login", Kind: "user",
		TargetID: string(u.ID), TargetName: u.Username, Detail: map[string]any{"by": string(how)}})
}

// credentials is a user and the hash of their password; nobody and no hash for
// an unknown one.
func (s *Service) credentials(ctx context.Context, username string) (u berth.User, hash string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		u, hash, err = q.Credentials(username)
		if errors.Is(err, berth.NotFound) {
			u, hash = berth.User{}, ""
			return nil
		}
		return err
	})
	return u, hash, err
}

// Logout ends the login that the token belongs to. Ending it twice is no error.
func (s *Service) Logout(ctx context.Context, actor authz.Actor, token berth.Token) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		err := tx.DeleteToken(actor.UserID, token.ID)
		if errors.Is(err, berth.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{Class: berth.AuditSignIn, ActorID: actor.UserID, Action: "logout", Kind: "user", TargetID: string(actor.UserID), TargetName: actor.Username})
	})
}
