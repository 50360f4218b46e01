package store

import (
	"time"

	"github.com/berthdev/berth"
)

const externalColumns = `user_id, provider, account, scopes, expires_at, refused, created_at, updated_at`

func externalInto(l *berth.ExternalLogin) []any {
	return []any{&l.UserID, &l.Provider, &l.Account, &l.Scopes, at(&l.ExpiresAt), &l.Refused, at(&l.CreatedAt), at(&l.UpdatedAt)}
}

// SealedExternal is an external login with its tokens, sealed.
type SealedExternal struct {
	berth.ExternalLogin
	Sealed []byte
}

// ExternalLogins lists a user's external logins.
func (q *Query) ExternalLogins(u berth.UserID) ([]berth.ExternalLogin, error) {
	return all(q, func(s scanner) (l berth.ExternalLogin, err error) {
		err = s.Scan(externalInto(&l)...)
		return l, err
	}, `SELECT `+externalColumns+` FROM external_logins WHERE user_id = $1 ORDER BY provider`, u)
}

// ExternalLogin is a user's login at a provider, with its tokens, sealed.
func (q *Query) ExternalLogin(u berth.UserID, provider string) (SealedExternal, error) {
	return one(q, "external sign-in", func(s scanner) (l SealedExternal, err error) {
		err = s.Scan(append(externalInto(&l.ExternalLogin), &l.Sealed)...)
		return l, err
	}, `SELECT `+externalColumns+`, tokens_sealed FROM external_logins WHERE user_id = $1 AND provider = $2`, u, provider)
}

// PutExternalLogin stores a new login of a user at a provider, in the place of
// an old one. A refresh of the old one that is under way comes to nothing.
func (tx *Tx) PutExternalLogin(l SealedExternal) error {
	tx.Wake(UserTopic(l.UserID))
	_, err := tx.exec(`INSERT INTO external_logins (user_id, provider, tokens_sealed, account, scopes, expires_at, refused, lease_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $7)
		ON CONFLICT (user_id, provider) DO UPDATE SET tokens_sealed = EXCLUDED.tokens_sealed, account = EXCLUDED.account, scopes = EXCLUDED.scopes,
			expires_at = EXCLUDED.expires_at, refused = '', lease_by = '', lease_at = NULL, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at`,
		l.UserID, l.Provider, l.Sealed, clean(l.Account, maxWord), clean(l.Scopes, maxWord), stamp(l.ExpiresAt), stamp(tx.Now))
	return err
}

// LeaseExternal gives by the right to refresh a login for a time, unless
// somebody else has it, the login is refused, or it is not any more as it was at
// updated. It guards itself.
func (tx *Tx) LeaseExternal(u berth.UserID, provider, by string, updated time.Time, lasts time.Duration) (ok bool, err error) {
	n, err := tx.exec(`UPDATE external_logins SET lease_by = $3, lease_at = $4
		WHERE user_id = $1 AND provider = $2 AND refused = '' AND updated_at = $5 AND (lease_at IS NULL OR lease_at <= $6)`,
		u, provider, by, stamp(tx.Now.Add(lasts)), stamp(updated), stamp(tx.Now))
	return n > 0, err
}

// RefreshExternal stores what a refresh gave, and ends the lease. From somebody
// whose lease is over it changes nothing: ok is false. It guards itself.
func (tx *Tx) RefreshExternal(l SealedExternal, by string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE external_logins SET tokens_sealed = $4, expires_at = $5, scopes = $6, lease_by = '', lease_at = NULL, updated_at = $7
		WHERE user_id = $1 AND provider = $2 AND lease_by = $3`,
		l.UserID, l.Provider, by, l.Sealed, stamp(l.ExpiresAt), clean(l.Scopes, maxWord), stamp(tx.Now))
	return n > 0, err
}

// ReleaseExternal ends a lease that came to nothing. It guards itself.
func (tx *Tx) ReleaseExternal(u berth.UserID, provider, by string) error {
	_, err := tx.exec(`UPDATE external_logins SET lease_by = '', lease_at = NULL WHERE user_id = $1 AND provider = $2 AND lease_by = $3`, u, provider, by)
	return err
}

// RefuseExternal notes why a login does not work any more, if it still is as it
// was at updated. It guards itself.
func (tx *Tx) RefuseExternal(u berth.UserID, provider string, updated time.Time, why string) error {
	_, err := tx.exec(`UPDATE external_logins SET refused = $4, lease_by = '', lease_at = NULL WHERE user_id = $1 AND provider = $2 AND updated_at = $3`,
		u, provider, stamp(updated), clean(why, maxWord))
	return err
}

// DeleteExternalLogin forgets a user's login at a provider.
func (tx *Tx) DeleteExternalLogin(u berth.UserID, provider string) error {
	tx.Wake(UserTopic(u))
	return tx.must("external sign-in", `DELETE FROM external_logins WHERE user_id = $1 AND provider = $2`, u, provider)
}
