package store

import (
	"time"

	"github.com/berthdev/berth"
)

// SignInAttempt is a sign-in at an identity provider that was begun in a
// browser.
type SignInAttempt struct {
	ID        string // SHA-256 of the state that travels, hex
	Provider  string
	UserID    berth.UserID // who wants to sign in this way from now on; empty: whoever comes back
	Nonce     string       // SHA-256 of what the browser holds, hex
	Sealed    []byte       // what only we may know of it
	ReturnTo  string       // path to go on to
	ExpiresAt time.Time
}

// InsertSignInAttempt stores a new attempt, unless there are most of them
// already: ok is false then.
func (tx *Tx) InsertSignInAttempt(a SignInAttempt, most int) (ok bool, err error) {
	n, err := tx.exec(`INSERT INTO sign_in_attempts (id, provider, user_id, nonce, sealed, return_to, expires_at)
		SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM sign_in_attempts WHERE expires_at > $8) < $9`,
		a.ID, a.Provider, a.UserID, a.Nonce, a.Sealed, a.ReturnTo, stamp(a.ExpiresAt), stamp(tx.Now), most)
	return n > 0, err
}

// TakeSignInAttempt is an attempt that is not over, which is gone with that: it
// is taken once.
func (tx *Tx) TakeSignInAttempt(id string) (SignInAttempt, error) {
	return one(&tx.Query, "attempt", func(s scanner) (a SignInAttempt, err error) {
		err = s.Scan(&a.ID, &a.Provider, &a.UserID, &a.Nonce, &a.Sealed, &a.ReturnTo, at(&a.ExpiresAt))
		return a, err
	}, `DELETE FROM sign_in_attempts WHERE id = $1 AND expires_at > $2 RETURNING id, provider, user_id, nonce, sealed, return_to, expires_at`, id, stamp(tx.Now))
}

// LoginRequest is a command line that waits for somebody to let it in.
type LoginRequest struct {
	ID        string
	Challenge string // SHA-256 of what the command line holds, base64url
	Client    string // what it says of itself
	Address   string // where it asked from
	UserID    berth.UserID
	SignIn    berth.SignIn // of the login of who let it in
	CodeHash  string       // SHA-256 of the code that their browser shows, hex; empty: nobody did yet
	Tries     int
	ExpiresAt time.Time
}

// InsertLoginRequest stores a new request, unless there are most of them
// already: ok is false then.
func (tx *Tx) InsertLoginRequest(r LoginRequest, most int) (ok bool, err error) {
	n, err := tx.exec(`INSERT INTO login_requests (id, challenge, client, address, user_id, sign_in, code_hash, tries, expires_at)
		SELECT $1, $2, $3, $4, '', '', '', 0, $5 WHERE (SELECT count(*) FROM login_requests WHERE expires_at > $6) < $7`,
		r.ID, r.Challenge, clean(r.Client, maxWord), clean(r.Address, maxWord), stamp(r.ExpiresAt), stamp(tx.Now), most)
	return n > 0, err
}

// LoginRequest is a request that is not over.
func (q *Query) LoginRequest(id string, now time.Time) (LoginRequest, error) {
	return one(q, "login request", func(s scanner) (r LoginRequest, err error) {
		err = s.Scan(&r.ID, &r.Challenge, &r.Client, &r.Address, &r.UserID, &r.SignIn, &r.CodeHash, &r.Tries, at(&r.ExpiresAt))
		return r, err
	}, `SELECT id, challenge, client, address, user_id, sign_in, code_hash, tries, expires_at FROM login_requests WHERE id = $1 AND expires_at > $2`, id, stamp(now))
}

// AllowLoginRequest notes who lets a command line in, and the code that it has to
// say. ok is false when somebody was faster. It guards itself.
func (tx *Tx) AllowLoginRequest(id string, u berth.UserID, how berth.SignIn, codeHash string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE login_requests SET user_id = $2, sign_in = $3, code_hash = $4 WHERE id = $1 AND code_hash = '' AND expires_at > $5`,
		id, u, string(how), codeHash, stamp(tx.Now))
	return n > 0, err
}

// TryLoginRequest counts a code that is tried; ok is false after too many. It
// guards itself.
func (tx *Tx) TryLoginRequest(id string, most int) (ok bool, err error) {
	n, err := tx.exec(`UPDATE login_requests SET tries = tries + 1 WHERE id = $1 AND tries < $2`, id, most)
	return n > 0, err
}

// EndLoginRequest removes a request; ok is false when it was gone. It guards
// itself.
func (tx *Tx) EndLoginRequest(id string) (ok bool, err error) {
	n, err := tx.exec(`DELETE FROM login_requests WHERE id = $1`, id)
	return n > 0, err
}

// DeleteUnfinishedSignIns removes attempts and requests that are over, and tells
// how many there were.
func (tx *Tx) DeleteUnfinishedSignIns() (int64, error) {
	n, err := tx.exec(`DELETE FROM sign_in_attempts WHERE expires_at <= $1`, stamp(tx.Now))
	if err != nil {
		return n, err
	}
	m, err := tx.exec(`DELETE FROM login_requests WHERE expires_at <= $1`, stamp(tx.Now))
	return n + m, err
}
