package accounts

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// ChangePassword changes the actor's own password, which they prove to know. It
// ends all their other logins: where somebody else signed in with the old one,
// they are out. API tokens stay.
func (s *Service) ChangePassword(ctx context.Context, actor authz.Actor, token berth.Token, current, password, remoteAddr string) error {
	u, hash, err := s.prove(ctx, actor, "current", current, remoteAddr)
	if err != nil {
		return err
	}
	if current == password {
		return berth.InvalidField("password", "this is the password that you have already: choose another one")
	}
	fresh, err := s.hashPassword(ctx, password, u)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.PasswordHash(u.ID)
		if err != nil {
			return err
		}
		if now != hash { // reset, or changed elsewhere, while we hashed
			return wrongPassword("current")
		}
		if u, err = tx.User(u.ID); err != nil {
			return err
		}
		return putPassword(tx, actor.UserID, u, fresh, false, token.ID)
	})
}

func (s *Service) hashPassword(ctx context.Context, password string, u berth.User) (string, error) {
	if err := s.checkPassword("password", password, u.Username, u.Email, u.Name); err != nil {
		return "", err
	}
	return s.hashes.hash(ctx, password)
}

// putPassword stores a new password and ends the logins that the old one made,
// but the one to keep.
func putPassword(tx *store.Tx, by berth.UserID, u berth.User, hash string, mustChange bool, keep berth.TokenID) error {
	changes := berth.Changes{}
	changes.Secret("password")
	changes.Set("must_change_password", u.MustChangePassword, mustChange)
	u.MustChangePassword = mustChange
	if err := tx.SetPasswordHash(u.ID, hash); err != nil {
		return err
	}
	if err := tx.UpdateUser(u); err != nil {
		return err
	}
	if _, err := tx.DeleteLoginsOf(u.ID, keep); err != nil {
		return err
	}
	return recordUser(tx, by, "edit", u, changes)
}

// ResetPassword gives another user a password that was made for them, and gives
// it back, once. They have to change it at their next sign-in; all their logins
// end. Who has it can sign in, so a token that may not do everything resets none.
func (s *Service) ResetPassword(ctx context.Context, actor authz.Actor, ref string) (string, error) {
	var u berth.User
	look := func(q *store.Query) (err error) {
		if u, err = other(q, actor, ref, "reset their own password, and who knows theirs changes it with berth passwd"); err != nil {
			return err
		}
		if !actor.Covers([]authz.Scope{authz.ScopeAll}) {
			return berth.Errorf(berth.Forbidden, "this token resets no passwords, since who has one may do more than it: use one with the scope all, or sign in with berth login")
		}
		if u.SignIn != berth.SignInPassword {
			return berth.Errorf(berth.Conflict, "%s does not sign in by password but by %s", u.Username, u.SignIn)
		}
		return nil
	}
	if err := s.db.Read(ctx, look); err != nil { // before the work of hashing
		return "", err
	}
	password := generatePassword(s.opt.MinPasswordLength)
	hash, err := s.hashes.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := look(&tx.Query); err != nil {
			return err
		}
		return putPassword(tx, actor.UserID, u, hash, true, "")
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// Owner says whom Repair makes, or makes an owner again.
type Owner struct{ Username, Email, Name, Password string }

// Repair makes an owner of the site of whoever has this username, for the day on
// which nobody can sign in any more: new, or with a new password, active, with
// the role. It checks no right: who calls it holds the database. Without a
// password one is made and given back, and has to be changed.
func (s *Service) Repair(ctx context.Context, in Owner) (u berth.User, made string, err error) {
	given := in.Password
	if given == "" {
		made = generatePassword(s.opt.MinPasswordLength)
		given = made
	}
	if err := s.checkPassword("password", given, in.Username, in.Email, in.Name); err != nil {
		return u, "", err
	}
	hash, err := s.hashes.hash(ctx, given)
	if err != nil {
		return u, "", err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := ensureDefaults(tx); err != nil {
			return err
		}
		u, err = tx.UserNamed(in.Username)
		if berth.ErrorCode(err) == berth.NotFound {
			n := NewUser{Username: in.Username, Email: in.Email, Name: in.Name, Roles: []berth.Role{berth.RoleOwner}, Status: berth.UserActive,
				MustChange: made != "", Detail: map[string]any{"by": "server create-admin-user"}, hash: hash}
			u, err = NewUserIn(tx, n)
			return err
		}
		if err != nil {
			return err
		}
		if u.System {
			return berth.InvalidField("username", "%s is a user of Berth's own: name a person", u.Username)
		}
		return repair(tx, &u, hash, made != "")
	})
	if err != nil {
		return berth.User{}, "", err
	}
	return u, made, nil
}

func repair(tx *store.Tx, u *berth.User, hash string, mustChange bool) error {
	changes := berth.Changes{}
	changes.Set("status", string(u.Status), string(berth.UserActive))
	changes.Set("sign_in", string(u.SignIn), string(berth.SignInPassword))
	u.Status, u.SuspendedAt, u.SignIn = berth.UserActive, time.Time{}, berth.SignInPassword
	roles := append([]berth.Role{berth.RoleOwner}, u.Roles...)
	if err := putPassword(tx, u.ID, *u, hash, mustChange, ""); err != nil {
		return err
	}
	u.MustChangePassword = mustChange
	if len(changes) > 0 {
		if err := tx.UpdateUser(*u); err != nil {
			return err
		}
		if err := recordUser(tx, u.ID, "edit", *u, changes); err != nil {
			return err
		}
	}
	now, err := SetRolesIn(tx, u.ID, *u, roles)
	*u = now
	return err
}
