package store

import "github.com/berthdev/berth"

// SSHKey is a user's key pair, the private half sealed.
func (q *Query) SSHKey(u berth.UserID) (key berth.SSHKey, private []byte, err error) {
	key, err = one(q, "SSH key", func(s scanner) (k berth.SSHKey, err error) {
		err = s.Scan(&k.UserID, &k.Public, at(&k.CreatedAt), &private)
		return k, err
	}, `SELECT user_id, public_key, created_at, private_sealed FROM ssh_keys WHERE user_id = $1`, u)
	return key, private, err
}

// AddSSHKey stores a user's first key pair; ok is false when there is one
// already, which stays. It guards itself.
func (tx *Tx) AddSSHKey(k berth.SSHKey, private []byte) (ok bool, err error) {
	n, err := tx.exec(`INSERT INTO ssh_keys (user_id, public_key, private_sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO NOTHING`,
		k.UserID, k.Public, private, stamp(tx.Now))
	return n > 0, err
}

// ReplaceSSHKey stores a user's new key pair in the place of the old one.
func (tx *Tx) ReplaceSSHKey(k berth.SSHKey, private []byte) error {
	tx.Wake(UserTopic(k.UserID))
	_, err := tx.exec(`INSERT INTO ssh_keys (user_id, public_key, private_sealed, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET public_key = EXCLUDED.public_key, private_sealed = EXCLUDED.private_sealed, created_at = EXCLUDED.created_at`,
		k.UserID, k.Public, private, stamp(tx.Now))
	return err
}
