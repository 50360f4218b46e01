package store

import (
	"time"

	"github.com/berthdev/berth"
)

// Identity is who a user is at an identity provider.
type Identity struct {
	Provider  string
	Subject   string
	UserID    berth.UserID
	Username  string // there
	Email     string // there
	Sealed    []byte // tokens; nil: none are kept
	ExpiresAt time.Time
	Refused   string    // why the provider does not know it any more; empty: it does
	NextAt    time.Time // when to ask the provider again; zero: never
	CreatedAt time.Time
	UpdatedAt time.Time
}

const identityColumns = `provider, subject, user_id, username, email, tokens_sealed, expires_at, refused, next_at, created_at, updated_at`

func scanIdentity(s scanner) (i Identity, err error) {
	err = s.Scan(&i.Provider, &i.Subject, &i.UserID, &i.Username, &i.Email, &i.Sealed, at(&i.ExpiresAt), &i.Refused, at(&i.NextAt), at(&i.CreatedAt), at(&i.UpdatedAt))
	return i, err
}

// Identity is the identity of a subject at a provider.
func (q *Query) Identity(provider, subject string) (Identity, error) {
	return one(q, "identity", scanIdentity, `SELECT `+identityColumns+` FROM identities WHERE provider = $1 AND subject = $2`, provider, subject)
}

// IdentityOf is who a user is at a provider.
func (q *Query) IdentityOf(u berth.UserID, provider string) (Identity, error) {
	return one(q, "identity", scanIdentity, `SELECT `+identityColumns+` FROM identities WHERE user_id = $1 AND provider = $2`, u, provider)
}

// PutIdentity stores a new identity, or what a new sign-in said of one. Whose it
// is never changes. A refresh of the old tokens that is under way comes to
// nothing.
func (tx *Tx) PutIdentity(i Identity) error {
	return tx.must("identity", `INSERT INTO identities (provider, subject, user_id, username, email, tokens_sealed, expires_at, refused, next_at, lease_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, '', $9, $9)
		ON CONFLICT (provider, subject) DO UPDATE SET username = EXCLUDED.username, email = EXCLUDED.email, tokens_sealed = EXCLUDED.tokens_sealed,
			expires_at = EXCLUDED.expires_at, refused = '', next_at = EXCLUDED.next_at, lease_by = '', lease_at = NULL, updated_at = EXCLUDED.updated_at
		WHERE identities.user_id = EXCLUDED.user_id`,
		i.Provider, i.Subject, i.UserID, clean(i.Username, maxWord), clean(i.Email, maxWord), i.Sealed, stamp(i.ExpiresAt), stamp(i.NextAt), stamp(tx.Now))
}

// DueIdentities is some identities whose provider is to be asked again, those
// that wait longest first.
func (q *Query) DueIdentities(now time.Time, n int) ([]Identity, error) {
	return all(q, scanIdentity, `SELECT `+identityColumns+` FROM identities
		WHERE next_at IS NOT NULL AND next_at <= $1 AND (lease_at IS NULL OR lease_at <= $1) ORDER BY next_at LIMIT $2`, stamp(now), n)
}

// LeaseIdentity gives by the right to ask about an identity for a time, unless
// somebody else has it, it is refused, or it is not any more as it was at
// updated. It guards itself.
func (tx *Tx) LeaseIdentity(i Identity, by string, lasts time.Duration) (ok bool, err error) {
	n, err := tx.exec(`UPDATE identities SET lease_by = $3, lease_at = $4
		WHERE provider = $1 AND subject = $2 AND refused = '' AND updated_at = $5 AND (lease_at IS NULL OR lease_at <= $6)`,
		i.Provider, i.Subject, by, stamp(tx.Now.Add(lasts)), stamp(i.UpdatedAt), stamp(tx.Now))
	return n > 0, err
}

// RefreshIdentity stores the tokens that were had of the old ones, and keeps the
// lease. From somebody whose lease is over it changes nothing: ok is false. It
// guards itself.
func (tx *Tx) RefreshIdentity(i Identity, by string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE identities SET tokens_sealed = $4, expires_at = $5, updated_at = $6 WHERE provider = $1 AND subject = $2 AND lease_by = $3`,
		i.Provider, i.Subject, by, i.Sealed, stamp(i.ExpiresAt), stamp(tx.Now))
	return n > 0, err
}

// ReleaseIdentity ends a lease and says when to ask again; zero: never. It
// guards itself.
func (tx *Tx) ReleaseIdentity(provider, subject, by string, next time.Time) error {
	_, err := tx.exec(`UPDATE identities SET lease_by = '', lease_at = NULL, next_at = $4 WHERE provider = $1 AND subject = $2 AND lease_by = $3`,
		provider, subject, by, stamp(next))
	return err
}

// RefuseIdentity notes why a provider does not know an identity any more, and
// forgets its tokens, if by still has the lease: ok is false otherwise.
func (tx *Tx) RefuseIdentity(provider, subject, by, why string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE identities SET refused = $4, tokens_sealed = NULL, expires_at = NULL, next_at = NULL, lease_by = '', lease_at = NULL, updated_at = $5
		WHERE provider = $1 AND subject = $2 AND lease_by = $3`, provider, subject, by, clean(why, maxText), stamp(tx.Now))
	return n > 0, err
}

// DeleteIdentity forgets that a subject at a provider is a user.
func (tx *Tx) DeleteIdentity(provider, subject string) error {
	return tx.must("identity", `DELETE FROM identities WHERE provider = $1 AND subject = $2`, provider, subject)
}

// EndSignIns ends the logins of a user that were made in one way, and tells how
// many there were.
func (tx *Tx) EndSignIns(u berth.UserID, how berth.SignIn) (int64, error) {
	tx.Wake(UserTopic(u))
	return tx.exec(`DELETE FROM tokens WHERE user_id = $1 AND kind = 'login' AND sign_in = $2`, u, string(how))
}

// UserWithEmail is a living user by e-mail address, without regard to case.
func (q *Query) UserWithEmail(email string) (berth.User, error) {
	return one(q, "user", scanUser, `SELECT `+userColumns+` FROM users u WHERE lower(u.email) = $1 AND u.deleted_at IS NULL`, lowered(email))
}
