package store

import "time"

// SigningKey is a pair of keys that this installation signs with.
type SigningKey struct {
	ID        string
	Public    []byte
	Sealed    []byte // the private key
	CreatedAt time.Time
	ExpiresAt time.Time // when nothing that it signed is good any more
}

func scanSigningKey(s scanner) (k SigningKey, err error) {
	err = s.Scan(&k.ID, &k.Public, &k.Sealed, at(&k.CreatedAt), at(&k.ExpiresAt))
	return k, err
}

// SigningKeys lists the keys for a use that have not expired, the newest first.
func (q *Query) SigningKeys(use string, now time.Time) ([]SigningKey, error) {
	return all(q, scanSigningKey, `SELECT id, public_key, private_sealed, created_at, expires_at FROM signing_keys
		WHERE use_for = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC`, use, stamp(now))
}

// InsertSigningKey stores a new key, and removes those for the same use that
// have expired.
func (tx *Tx) InsertSigningKey(use string, k SigningKey) error {
	if _, err := tx.exec(`DELETE FROM signing_keys WHERE use_for = $1 AND expires_at <= $2`, use, stamp(tx.Now)); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO signing_keys (id, use_for, public_key, private_sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, use, k.Public, k.Sealed, stamp(k.CreatedAt), stamp(k.ExpiresAt))
	return err
}
