package store

import (
	"cmp"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

const userColumns = `u.id, u.username, u.email, u.name, u.status, u.roles_json, u.is_system, u.dotfiles,
	u.sign_in, u.must_change_password, u.seen_at, u.suspended_at, u.created_at, u.updated_at, u.deleted_at, u.quiet_hours`

func userInto(u *berth.User) []any {
	return []any{&u.ID, &u.Username, &u.Email, &u.Name, &u.Status, fromJSON(&u.Roles), &u.System, &u.Dotfiles,
		&u.SignIn, &u.MustChangePassword, at(&u.SeenAt), at(&u.SuspendedAt), at(&u.CreatedAt), at(&u.UpdatedAt), at(&u.DeletedAt),
		&u.QuietHours}
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

// PasswordHash is what is kept of a user's password; empty: they have none.
func (q *Query) PasswordHash(id berth.UserID) (hash string, err error) {
	return one(q, "user", func(s scanner) (h string, err error) {
		err = s.Scan(text(&h))
		return h, err
	}, `SELECT u.password_hash FROM users u WHERE u.id = $1`, id)
}

// SetPasswordHash stores what is kept of a user's password; empty: none.
func (tx *Tx) SetPasswordHash(id berth.UserID, hash string) error {
	return tx.must("user", `UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1`, id, orNull(hash), stamp(tx.Now))
}

// UserRef is a living user by id or by username.
func (q *Query) UserRef(ref string) (berth.User, error) {
	if !berth.IsID(ref) {
		return q.UserNamed(ref)
	}
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`, ref)
}

// UserFilter chooses users among the visible ones; other zero fields choose all.
type UserFilter struct {
	Visible berth.Visible
	Status  []berth.UserStatus
	Roles   []berth.Role // one of them
	SignIn  string
	Words   []string // parts of username, name or e-mail address, each must be there
}

// UserPage is one page of the living users, oldest first, and the mark of the
// next. System users are not among them.
func (q *Query) UserPage(f UserFilter, p Page) ([]berth.User, string, error) {
	var w where
	w.add(`u.deleted_at IS NULL AND NOT u.is_system`)
	w.visible(columns{kind: "user", id: "u.id", owner: "u.id"}, f.Visible)
	if len(f.Status) > 0 {
		w.add(`u.status IN (` + args(&w, f.Status) + `)`)
	}
	if len(f.Roles) > 0 {
		var any []string
		for _, r := range f.Roles {
			any = append(any, "u.roles_json LIKE "+w.arg(roleMark(r)))
		}
		w.add("(" + strings.Join(any, " OR ") + ")")
	}
	if f.SignIn != "" {
		w.add(`u.sign_in = ?`, f.SignIn)
	}
	for _, word := range f.Words {
		part := w.arg("%" + escapeLike(word) + "%")
		w.add(`(lower(u.username) LIKE ` + part + ` ESCAPE '\' OR lower(u.name) LIKE ` + part + ` ESCAPE '\' OR lower(u.email) LIKE ` + part + ` ESCAPE '\')`)
	}
	end := p.bound(&w, "u.created_at", "u.id", false)
	rows, err := all(q, scanUser, `SELECT `+userColumns+` FROM users u`+w.String()+end, w.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(p, rows, func(u berth.User) Cursor { return Cursor{u.CreatedAt, string(u.ID)} })
	return rows, next, nil
}

// roleMark is how a role stands in a column of roles.
func roleMark(r berth.Role) string { return `%"` + string(r) + `"%` }

// OtherOwners counts the owners of the site beside one user who can sign in.
func (q *Query) OtherOwners(than berth.UserID) (n int, err error) {
	return one(q, "owner", single[int], `SELECT count(*) FROM users u WHERE u.roles_json LIKE $1 AND u.id <> $2
		AND NOT u.is_system AND u.status <> 'suspended' AND u.sign_in <> 'none' AND u.deleted_at IS NULL`, roleMark(berth.RoleOwner), than)
}

// SawUser notes that a user was there, unless that was noted after since; a
// dormant one is active again. It guards itself.
func (tx *Tx) SawUser(id berth.UserID, since time.Time) error {
	// Workspaces of a dormant user do not start by themselves: now they may.
	n, err := tx.exec(`UPDATE workspaces SET `+again+` WHERE owner_id = $2 AND `+ruled+`
		AND EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.status = 'dormant')`, stamp(tx.Now), id)
	if err != nil {
		return err
	}
	if n > 0 {
		tx.Wake(LifecycleTopic)
	}
	_, err = tx.exec(`UPDATE users SET seen_at = $2, status = CASE WHEN status = 'dormant' THEN 'active' ELSE status END
		WHERE id = $1 AND (seen_at IS NULL OR seen_at <= $3)`, id, stamp(tx.Now), stamp(since))
	return err
}

// Unseen is active people who were not there after before, at most limit.
func (q *Query) Unseen(before time.Time, limit int) ([]berth.User, error) {
	return all(q, scanUser, `SELECT `+userColumns+` FROM users u WHERE u.status = 'active' AND NOT u.is_system AND u.deleted_at IS NULL
		AND u.created_at < $1 AND COALESCE(u.seen_at, 0) < $1 ORDER BY u.created_at, u.id LIMIT $2`, stamp(before), limit)
}

// ForgetPerson removes what a user had besides their row: memberships, shares
// with them, tokens, notices, and what their workspaces acted with.
func (tx *Tx) ForgetPerson(id berth.UserID) error {
	for _, from := range []string{
		`group_members WHERE user_id`, `organization_members WHERE user_id`, `grants WHERE grantee_kind = 'user' AND grantee_id`,
		`tokens WHERE user_id`, `ssh_keys WHERE user_id`, `user_secrets WHERE user_id`, `external_logins WHERE user_id`,
		`external_attempts WHERE user_id`, `identities WHERE user_id`, `sign_in_attempts WHERE user_id`, `favorites WHERE user_id`,
	} {
		if _, err := tx.exec(`DELETE FROM `+from+` = $1`, id); err != nil {
			return err
		}
	}
	return tx.forgetNotices(id)
}

// SetQuietHours stores a user's quiet hours; empty: as the server says.
func (tx *Tx) SetQuietHours(id berth.UserID, text string) error {
	tx.Wake(UserTopic(id))
	return tx.must("user", `UPDATE users SET quiet_hours = $2, updated_at = $3 WHERE id = $1`,
		id, text, stamp(tx.Now))
}

// FirstUser is the person who was there first: they set the site up. not_found
// when there is no person yet.
func (q *Query) FirstUser() (berth.User, error) {
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE NOT u.is_system ORDER BY u.created_at, u.id LIMIT 1`)
}

// UpdateUser stores all of a user but their password. The rules of their
// workspaces are asked at once.
func (tx *Tx) UpdateUser(u berth.User) error {
	tx.Wake(UserTopic(u.ID))
	if !u.MaySignIn() {
		tx.Wake(ShutOutTopic)
	}
	if err := tx.LookAgainOwned(u.ID); err != nil {
		return err
	}
	return tx.must("user", `UPDATE users SET username = $2, email = $3, name = $4, status = $5, roles_json = $6, dotfiles = $7,
		sign_in = $8, must_change_password = $9, suspended_at = $10, deleted_at = $11, updated_at = $12 WHERE id = $1`,
		u.ID, u.Username, u.Email, clean(u.Name, maxWord), string(u.Status), asJSON(u.Roles), u.Dotfiles,
		string(u.SignIn), u.MustChangePassword, stamp(u.SuspendedAt), stamp(u.DeletedAt), stamp(tx.Now))
}
