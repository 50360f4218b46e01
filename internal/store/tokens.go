package store

import (
	"cmp"
	"time"

	"github.com/berthdev/berth"
)

const tokenColumns = `t.id, t.user_id, t.kind, t.name, t.hash, t.scopes_json, t.sign_in, t.workspace_id, t.created_at, t.expires_at, t.last_used_at`

func tokenInto(t *berth.Token) []any {
	return []any{&t.ID, &t.UserID, &t.Kind, &t.Name, &t.Hash, fromJSON(&t.Scopes), &t.SignIn, text(&t.WorkspaceID), at(&t.CreatedAt), at(&t.ExpiresAt), at(&t.LastUsedAt)}
}

func scanToken(s scanner) (t berth.Token, err error) {
	err = s.Scan(tokenInto(&t)...)
	return t, err
}

// InsertToken stores a new token.
func (tx *Tx) InsertToken(t berth.Token) error {
	_, err := tx.exec(`INSERT INTO tokens (id, user_id, kind, name, hash, scopes_json, sign_in, workspace_id, created_at, expires_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		t.ID, t.UserID, string(t.Kind), t.Name, t.Hash, asJSON(t.Scopes), string(cmp.Or(t.SignIn, berth.SignInPassword)), orNull(t.WorkspaceID), stamp(t.CreatedAt), stamp(t.ExpiresAt), stamp(t.LastUsedAt))
	return err
}

// TokenByHash is the token of a hash and whose it is, expired or not.
func (q *Query) TokenByHash(hash []byte) (berth.Token, berth.User, error) {
	var u berth.User
	t, err := one(q, "token", func(s scanner) (t berth.Token, err error) {
		err = s.Scan(append(tokenInto(&t), userInto(&u)...)...)
		return t, err
	}, `SELECT `+tokenColumns+`, `+userColumns+` FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1`, hash)
	return t, u, err
}

// TokenByID is a token and whose it is, expired or not.
func (q *Query) TokenByID(id berth.TokenID) (berth.Token, berth.User, error) {
	var u berth.User
	t, err := one(q, "token", func(s scanner) (t berth.Token, err error) {
		err = s.Scan(append(tokenInto(&t), userInto(&u)...)...)
		return t, err
	}, `SELECT `+tokenColumns+`, `+userColumns+` FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1`, id)
	return t, u, err
}

// Tokens is a user's tokens that have not expired, newest first.
func (q *Query) Tokens(u berth.UserID, now time.Time) ([]berth.Token, error) {
	return all(q, scanToken, `SELECT `+tokenColumns+` FROM tokens t WHERE t.user_id = $1 AND t.expires_at > $2
		ORDER BY t.created_at DESC, t.id DESC`, u, stamp(now))
}

// TouchToken records a use of a token and moves its end, unless that was done
// after since: a busy token is not written at each use. It guards itself.
func (tx *Tx) TouchToken(id berth.TokenID, expires, since time.Time) error {
	_, err := tx.exec(`UPDATE tokens SET last_used_at = $2, expires_at = $3
		WHERE id = $1 AND expires_at > $2 AND (last_used_at IS NULL OR last_used_at <= $4)`,
		id, stamp(tx.Now), stamp(expires), stamp(since))
	return err
}

// DeleteToken removes a token of a user.
func (tx *Tx) DeleteToken(u berth.UserID, id berth.TokenID) error {
	tx.Wake(UserTopic(u))
	return tx.must("token", `DELETE FROM tokens WHERE id = $1 AND user_id = $2`, id, u)
}

// DeleteTokensOf removes all tokens of a user, and tells how many there were.
func (tx *Tx) DeleteTokensOf(u berth.UserID) (int64, error) {
	tx.Wake(UserTopic(u))
	return tx.exec(`DELETE FROM tokens WHERE user_id = $1`, u)
}

// EndTokens removes the logins and API tokens of a user, and tells how many there
// were. Those of their workspaces stay.
func (tx *Tx) EndTokens(u berth.UserID) (int64, error) {
	tx.Wake(UserTopic(u))
	return tx.exec(`DELETE FROM tokens WHERE user_id = $1 AND kind <> 'workspace'`, u)
}

// DeleteLoginsOf removes all logins of a user but one, and tells how many there
// were. Tokens that were made for programs, and those of workspaces, stay.
func (tx *Tx) DeleteLoginsOf(u berth.UserID, keep berth.TokenID) (int64, error) {
	tx.Wake(UserTopic(u))
	return tx.exec(`DELETE FROM tokens WHERE user_id = $1 AND kind = 'login' AND id <> $2`, u, keep)
}

// DeleteExpired removes the tokens, at most limit of them, that expired before,
// and tells how many there were.
func (tx *Tx) DeleteExpired(before time.Time, limit int) (int64, error) {
	return tx.exec(`DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE expires_at < $1 LIMIT $2)`, stamp(before), limit)
}

// DeleteExpiredOf removes a user's expired tokens.
func (tx *Tx) DeleteExpiredOf(u berth.UserID) error {
	_, err := tx.exec(`DELETE FROM tokens WHERE user_id = $1 AND expires_at <= $2`, u, stamp(tx.Now))
	return err
}

// PutWorkspaceToken stores the token of a workspace's own login, unless it is
// there already. It guards itself.
func (tx *Tx) PutWorkspaceToken(t berth.Token) error {
	_, err := tx.exec(`INSERT INTO tokens (id, user_id, kind, name, hash, scopes_json, workspace_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (hash) DO NOTHING`,
		t.ID, t.UserID, string(t.Kind), t.Name, t.Hash, asJSON(t.Scopes), orNull(t.WorkspaceID), stamp(tx.Now), stamp(t.ExpiresAt))
	return err
}

// EndWorkspaceToken removes the token with a hash of a workspace's own logins.
func (tx *Tx) EndWorkspaceToken(ws berth.WorkspaceID, hash []byte) error {
	_, err := tx.exec(`DELETE FROM tokens WHERE workspace_id = $1 AND kind = 'workspace' AND hash = $2`, ws, hash)
	return err
}

// EndWorkspaceTokens removes the tokens of a workspace's own logins but the one
// with the hash keep.
func (tx *Tx) EndWorkspaceTokens(ws berth.WorkspaceID, keep []byte) error {
	_, err := tx.exec(`DELETE FROM tokens WHERE workspace_id = $1 AND kind = 'workspace' AND hash <> $2`, ws, keep)
	return err
}
