package accounts

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// NewUser is what it takes to make a user.
type NewUser struct{ Username, Email, Name, Password string }

// reserved are the usernames that mean something else in paths and queries.
var reserved = []string{"me", "first", "all", "none", "system", berth.PrebuildsUsername}

func (in NewUser) validate() error {
	if err := berth.ValidateName("username", in.Username); err != nil {
		return err
	}
	if slices.Contains(reserved, strings.ToLower(in.Username)) {
		return berth.InvalidField("username", "%q has a meaning of its own: choose another username", in.Username)
	}
	if err := berth.ValidateEmail("email", in.Email); err != nil {
		return err
	}
	if len(in.Name) > 128 {
		return berth.InvalidField("name", "the full name is too long: at most 128 characters")
	}
	return berth.ValidatePassword("password", in.Password)
}

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
	if err := in.validate(); err != nil {
		return berth.User{}, err
	}
	hash, err := s.hashes.hash(ctx, in.Password)
	if err != nil {
		return berth.User{}, err
	}
	u := berth.User{ID: berth.NewID[berth.User](), Username: in.Username, Email: in.Email, Name: in.Name,
		Status: berth.UserActive, Roles: []berth.Role{berth.RoleOwner}}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.FirstUser(); err == nil {
			return errSetUp
		} else if !errors.Is(err, berth.NotFound) {
			return err
		}
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		if err := tx.InsertUser(u, hash); err != nil {
			return err
		}
		o, err := tx.OrganizationRef("default")
		if err != nil {
			return err
		}
		if err := tx.AddMember(o.ID, u.ID); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: u.ID, Action: "create", Kind: "user", TargetID: string(u.ID), TargetName: u.Username,
			Detail: map[string]any{"first": true}})
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
