package store

import (
	"cmp"

	"github.com/berthdev/berth"
)

const userColumns = `u.id, u.username, u.email, u.name, u.status, u.roles_json, u.is_system, u.dotfiles,
	u.sign_in, u.must_change_password, u.seen_at, u.suspended_at, u.created_at, u.updated_at, u.deleted_at`

func userInto(u *berth.User) []any {
	return []any{&u.ID, &u.Username, &u.Email, &u.Name, &u.Status, fromJSON(&u.Roles), &u.System, &u.Dotfiles,
		&u.SignIn, &u.MustChangePassword, at(&u.SeenAt), at(&u.SuspendedAt), at(&u.CreatedAt), at(&u.UpdatedAt), at(&u.DeletedAt)}
}

func scanUser(s scanner) (u berth.User, err error) {
	err = s.Scan(userInto(&u)...)
	return u, err
}

// InsertUser stores a new user. An empty hash means that they cannot sign in by
// password.
func (tx *Tx) InsertUser(u berth.User, passwordHash string) error {
	_, err := tx.exec(`INSERT INTO users (id, username, email, name, status, roles_json, is_system, password_hash,
		sign_in, must_change_password, suspended_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		u.ID, u.Username, u.Email, clean(u.Name, maxWord), string(u.Status), asJSON(u.Roles), u.System, orNull(passwordHash),
		string(cmp.Or(u.SignIn, berth.SignInPassword)), u.MustChangePassword, stamp(u.SuspendedAt), stamp(u.CreatedAt), stamp(u.UpdatedAt))
	return err
}

// User is a user by id.
func (q *Query) User(id berth.UserID) (berth.User, error) {
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id)
}

// UserNamed is a living user by username, without regard to case.
func (q *Query) UserNamed(username string) (berth.User, error) {
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE lower(u.username) = $1 AND u.deleted_at IS NULL`, lowered(username))
}

// Credentials is a user by username or e-mail address, with the hash of their
// password, which may be empty.
func (q *Query) Credentials(login string) (berth.User, string, error) {
	var hash string
	u, err := one(q, "user", func(s scanner) (u berth.User, err error) {
		err = s.Scan(append(userInto(&u), text(&hash))...)
		return u, err
	}, `SELECT `+userColumns+`, u.password_hash FROM users u
		WHERE (lower(u.username) = $1 OR lower(u.email) = $1) AND u.deleted_at IS NULL ORDER BY CASE WHEN lower(u.username) = $1 THEN 0 ELSE 1 END LIMIT 1`,
		lowered(login))
	return u, hash, err
}

// FirstUser is the person who was there first: they set the site up. not_found
// when there is no person yet.
func (q *Query) FirstUser() (berth.User, error) {
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE NOT u.is_system ORDER BY u.created_at, u.id LIMIT 1`)
}

// UpdateUser stores all of a user but their password.
func (tx *Tx) UpdateUser(u berth.User) error {
	tx.Wake(UserTopic(u.ID))
	return tx.must("user", `UPDATE users SET username = $2, email = $3, name = $4, status = $5, roles_json = $6, dotfiles = $7,
		sign_in = $8, must_change_password = $9, suspended_at = $10, deleted_at = $11, updated_at = $12 WHERE id = $1`,
		u.ID, u.Username, u.Email, clean(u.Name, maxWord), string(u.Status), asJSON(u.Roles), u.Dotfiles,
		string(u.SignIn), u.MustChangePassword, stamp(u.SuspendedAt), stamp(u.DeletedAt), stamp(tx.Now))
}
