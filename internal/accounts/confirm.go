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
	if err := authz.Check(actor, authz.Update, authz.OfPassword(actor.UserID), "your password"); err != nil {
		return err
	}
	if err := s.tries.take(string(actor.UserID), remoteAddr, time.Now()); err != nil {
		return err
	}
	var u berth.User
	var hash string
	err := s.db.Read(ctx, func(q *store.Query) (err error) {
		if u, err = q.User(actor.UserID); err != nil {
			return err
		}
		hash, err = q.PasswordHash(u.ID)
		return err
	})
	if err != nil {
		return err
	}
	if u.SignIn != berth.SignInPassword {
		return berth.Errorf(berth.Conflict, "you do not sign in by password but by %s", u.SignIn)
	}
	if len(password) > berth.MaxPasswordLength {
		hash = ""
	}
	ok, err := s.hashes.verify(ctx, hash, password)
	if err == nil && !ok {
		err = berth.InvalidField("password", "this is not your password")
	}
	if err == nil {
		s.tries.forget(string(actor.UserID), remoteAddr)
	}
	return err
}

// HostOf is the address without the port that it came from.
func HostOf(remoteAddr string) string { return hostOf(remoteAddr) }
