package store

import "github.com/berthdev/berth"

const secretColumns = `id, user_id, name, description, env_name, file_path, disabled, created_at, updated_at`

func secretInto(s *berth.Secret) []any {
	return []any{&s.ID, &s.UserID, &s.Name, &s.Description, &s.Env, &s.File, &s.Disabled, at(&s.CreatedAt), at(&s.UpdatedAt)}
}

func scanSecret(s scanner) (v berth.Secret, err error) {
	err = s.Scan(secretInto(&v)...)
	return v, err
}

// SealedSecret is a secret with its value, sealed.
type SealedSecret struct {
	berth.Secret
	Sealed []byte
}

func scanSealedSecret(s scanner) (v SealedSecret, err error) {
	err = s.Scan(append(secretInto(&v.Secret), &v.Sealed)...)
	return v, err
}

// Secrets lists a user's secrets by name.
func (q *Query) Secrets(u berth.UserID) ([]berth.Secret, error) {
	return all(q, scanSecret, `SELECT `+secretColumns+` FROM user_secrets WHERE user_id = $1 ORDER BY lower(name)`, u)
}

// SealedSecrets lists the secrets of a user that are not disabled, with their
// values, by name.
func (q *Query) SealedSecrets(u berth.UserID) ([]SealedSecret, error) {
	return all(q, scanSealedSecret, `SELECT `+secretColumns+`, value_sealed FROM user_secrets WHERE user_id = $1 AND NOT disabled ORDER BY lower(name)`, u)
}

// Secret is a user's secret by name, without regard to case.
func (q *Query) Secret(u berth.UserID, name string) (berth.Secret, error) {
	return one(q, "secret", scanSecret, `SELECT `+secretColumns+` FROM user_secrets WHERE user_id = $1 AND lower(name) = $2`, u, lowered(name))
}

// InsertSecret stores a new secret, its value sealed.
func (tx *Tx) InsertSecret(s berth.Secret, sealed []byte) error {
	tx.Wake(UserTopic(s.UserID))
	_, err := tx.exec(`INSERT INTO user_secrets (id, user_id, name, description, env_name, file_path, value_sealed, disabled, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		s.ID, s.UserID, s.Name, clean(s.Description, maxWord), s.Env, s.File, sealed, s.Disabled, stamp(tx.Now))
	return err
}

// UpdateSecret stores a changed secret; nil keeps its value.
func (tx *Tx) UpdateSecret(s berth.Secret, sealed []byte) error {
	tx.Wake(UserTopic(s.UserID))
	if err := tx.must("secret", `UPDATE user_secrets SET description = $3, env_name = $4, file_path = $5, disabled = $6, updated_at = $7
		WHERE id = $1 AND user_id = $2`, s.ID, s.UserID, clean(s.Description, maxWord), s.Env, s.File, s.Disabled, stamp(tx.Now)); err != nil {
		return err
	}
	if sealed == nil {
		return nil
	}
	return tx.must("secret", `UPDATE user_secrets SET value_sealed = $3 WHERE id = $1 AND user_id = $2`, s.ID, s.UserID, sealed)
}

// DeleteSecret removes a secret of a user.
func (tx *Tx) DeleteSecret(u berth.UserID, id berth.SecretID) error {
	tx.Wake(UserTopic(u))
	return tx.must("secret", `DELETE FROM user_secrets WHERE id = $1 AND user_id = $2`, id, u)
}
