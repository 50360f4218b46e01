package store

import (
	"time"

	"github.com/berthdev/berth"
)

// Attempt is a sign-in at an external provider that was begun.
type Attempt struct {
	ID        string // SHA-256 of the state, hex
	UserID    berth.UserID
	Provider  string
	Step      AttemptStep
	Nonce     string // SHA-256 of the browser's nonce, hex; empty: a command line began it
	Sealed    []byte // what only we may know of it
	Tries     int    // wrong codes so far
	ExpiresAt time.Time
}

// AttemptStep is how far an Attempt is. Each is reached once.
type AttemptStep string

const (
	AttemptBegun     AttemptStep = "begun"
	AttemptReturned  AttemptStep = "returned"  // the browser came back
	AttemptExchanged AttemptStep = "exchanged" // there are tokens; the command line has to say the code
	AttemptDone      AttemptStep = "done"
)

// DeleteAttempts removes the attempts that are over, and tells how many there
// were.
func (tx *Tx) DeleteAttempts() (int64, error) {
	return tx.exec(`DELETE FROM external_attempts WHERE expires_at <= $1`, stamp(tx.Now))
}

// InsertAttempt stores a new attempt.
func (tx *Tx) InsertAttempt(a Attempt) error {
	_, err := tx.exec(`INSERT INTO external_attempts (id, user_id, provider, step, nonce, sealed, tries, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`,
		a.ID, a.UserID, a.Provider, string(a.Step), a.Nonce, a.Sealed, stamp(a.ExpiresAt))
	return err
}

// Attempts counts a user's attempts that are not over.
func (q *Query) Attempts(u berth.UserID, now time.Time) (int, error) {
	return one(q, "attempt", single[int], `SELECT count(*) FROM external_attempts WHERE user_id = $1 AND expires_at > $2`, u, stamp(now))
}

// Attempt is an attempt that is not over.
func (q *Query) Attempt(id string, now time.Time) (Attempt, error) {
	return one(q, "attempt", func(s scanner) (a Attempt, err error) {
		err = s.Scan(&a.ID, &a.UserID, &a.Provider, &a.Step, &a.Nonce, &a.Sealed, &a.Tries, at(&a.ExpiresAt))
		return a, err
	}, `SELECT id, user_id, provider, step, nonce, sealed, tries, expires_at FROM external_attempts WHERE id = $1 AND expires_at > $2`, id, stamp(now))
}

// StepAttempt brings an attempt from one step to the next, with what is to be
// known of it then; nil keeps that. ok is false when it is not at from: somebody
// was faster. It guards itself.
func (tx *Tx) StepAttempt(id string, from, to AttemptStep, sealed []byte) (ok bool, err error) {
	if sealed == nil {
		n, err := tx.exec(`UPDATE external_attempts SET step = $3 WHERE id = $1 AND step = $2 AND expires_at > $4`, id, string(from), string(to), stamp(tx.Now))
		return n > 0, err
	}
	n, err := tx.exec(`UPDATE external_attempts SET step = $3, sealed = $5 WHERE id = $1 AND step = $2 AND expires_at > $4`,
		id, string(from), string(to), stamp(tx.Now), sealed)
	return n > 0, err
}

// TryAttempt counts a code that is tried on an attempt; ok is false after too
// many. It guards itself.
func (tx *Tx) TryAttempt(id string, most int) (ok bool, err error) {
	n, err := tx.exec(`UPDATE external_attempts SET tries = tries + 1 WHERE id = $1 AND tries < $2`, id, most)
	return n > 0, err
}
