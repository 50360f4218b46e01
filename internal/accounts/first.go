package accounts

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// SetupRequired tells whether the first user is still to be made.
func (s *Service) SetupRequired(ctx context.Context) (required bool, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		_, err := q.FirstUser()
		required = errors.Is(err, berth.NotFound)
		if required {
			return nil
		}
		return err
	})
	return required, err
}

var errSetUp = berth.Errorf(berth.Conflict, "the first user was made already: sign in with berth login URL, or ask an owner of the site for an account")

// FirstUser makes the first user, who owns the site and is a member of the
// default organization. It is a conflict when there is one already.
func (s *Service) FirstUser(ctx context.Context, in NewUser) (berth.User, error) {
	// Looked at before hashing too, so that nobody can make a server work that
	// has been set up.
	if required, err := s.SetupRequired(ctx); err != nil {
		return berth.User{}, err
	} else if !required {
		return berth.User{}, errSetUp
	}
	in.Roles, in.Status, in.SignIn = []berth.Role{berth.RoleOwner}, berth.UserActive, berth.SignInPassword
	in.Detail = map[string]any{"first": true}
	in, err := s.prepare(ctx, in)
	if err != nil {
		return berth.User{}, err
	}
	var u berth.User
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.FirstUser(); err == nil {
			return errSetUp
		} else if !errors.Is(err, berth.NotFound) {
			return err
		}
		u, err = NewUserIn(tx, in)
		return err
	})
	if errors.Is(err, berth.Conflict) { // somebody else was faster, perhaps with the same name
		if required, rerr := s.SetupRequired(ctx); rerr == nil && !required {
			err = errSetUp
		}
	}
	if err != nil {
		return berth.User{}, err
	}
	return u, nil
}
