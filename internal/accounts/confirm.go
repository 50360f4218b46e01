package accounts

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Confirm tells whether a password is the actor's own, before something that
// wants it. Guessing here is no cheaper than at the sign-in.
func (s *Service) Confirm(ctx context.Context, actor authz.Actor, password, remoteAddr string) error {
	_, _, err := s.prove(ctx, actor, "password", password, remoteAddr)
	return err
}

func wrongPassword(field string) error {
	return berth.InvalidField(field, "this is not your password")
}

// prove is Confirm, with the field that a wrong password is told for; it gives
// the user and what is kept of their password.
func (s *Service) prove(ctx context.Context, actor authz.Actor, field, password, remoteAddr string) (u berth.User, hash string, err error) {
	if err := authz.Check(actor, authz.Update, authz.OfPassword(actor.UserID), "your password"); err != nil {
		return u, "", err
	}
	if err := s.tries.take(string(actor.UserID), remoteAddr, time.Now()); err != nil {
		return u, "", err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		if u, err = q.User(actor.UserID); err != nil {
			return err
		}
		hash, err = q.PasswordHash(u.ID)
		return err
	})
	if err != nil {
		return u, "", err
	}
	if u.SignIn != berth.SignInPassword {
		return u, "", berth.Errorf(berth.Conflict, "you do not sign in by password but by %s", u.SignIn)
	}
	if len(password) > berth.MaxPasswordLength {
		return u, "", wrongPassword(field)
	}
	ok, err := s.hashes.verify(ctx, hash, password)
	if err == nil && !ok {
		err = wrongPassword(field)
	}
	if err != nil {
		return u, "", err
	}
	s.tries.forget(string(actor.UserID), remoteAddr)
	return u, hash, nil
}

// HostOf is the address without the port that it came from.
func HostOf(remoteAddr string) string { return hostOf(remoteAddr) }
