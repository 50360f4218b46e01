package store

import (
	"time"

	"github.com/berthdev/berth"
)

const tokenUseColumns = `x.token_id, x.user_id, x.address, x.user_agent, x.first_at, x.last_at`

func scanTokenUse(s scanner) (u berth.TokenUse, err error) {
	err = s.Scan(&u.TokenID, &u.UserID, &u.Address, &u.UserAgent, at(&u.FirstAt), at(&u.LastAt))
	return u, err
}

// MaxTokenUses is how many places are kept of one token: the newest.
const MaxTokenUses = 50

// UseToken notes that a token is used from where the request of the transaction
// comes; calls within the process leave no trace. It guards itself.
func (tx *Tx) UseToken(t berth.Token) error {
	from := OriginOf(tx.ctx)
	if from.Address == "" {
		return nil
	}
	_, err := tx.exec(`INSERT INTO token_uses (token_id, user_id, address, user_agent, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (token_id, address, user_agent) DO UPDATE SET last_at = EXCLUDED.last_at`,
		t.ID, t.UserID, clean(from.Address, maxWord), clean(from.UserAgent, maxWord), stamp(tx.Now))
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM token_uses WHERE token_id = $1 AND last_at < (SELECT x.last_at FROM token_uses x WHERE x.token_id = $1
		ORDER BY x.last_at DESC LIMIT 1 OFFSET $2)`, t.ID, MaxTokenUses-1)
	return err
}

// TokenUses is from where the tokens of a user were used, the newest first, at
// most limit; of one token if there is an id. Tokens that are gone are among
// them.
func (q *Query) TokenUses(u berth.UserID, token berth.TokenID, limit int) ([]berth.TokenUse, error) {
	if token != "" {
		return all(q, scanTokenUse, `SELECT `+tokenUseColumns+` FROM token_uses x WHERE x.token_id = $1 AND x.user_id = $2 ORDER BY x.last_at DESC LIMIT $3`, token, u, limit)
	}
	return all(q, scanTokenUse, `SELECT `+tokenUseColumns+` FROM token_uses x WHERE x.user_id = $1 ORDER BY x.last_at DESC LIMIT $2`, u, limit)
}

// UsedFrom tells whether a user signed in or used a token from an address after
// since.
func (q *Query) UsedFrom(u berth.UserID, address string, since time.Time) (bool, error) {
	n, err := one(q, "use", single[int], `SELECT count(*) FROM token_uses x WHERE x.user_id = $1 AND x.address = $2 AND x.last_at > $3`,
		u, clean(address, maxWord), stamp(since))
	return n > 0, err
}

// DeleteTokenUses removes uses, at most limit of them, that were last before,
// and tells how many there were.
func (tx *Tx) DeleteTokenUses(before time.Time, limit int) (int64, error) {
	return tx.exec(`DELETE FROM token_uses WHERE (token_id, address, user_agent) IN
		(SELECT x.token_id, x.address, x.user_agent FROM token_uses x WHERE x.last_at < $1 LIMIT $2)`, stamp(before), limit)
}
