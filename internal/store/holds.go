package store

import (
	"time"

	"github.com/berthdev/berth"
)

const holdRow = `SELECT h.id, h.workspace_id, h.reason, h.created_by, u.username, h.created_at, h.until
	FROM holds h JOIN users u ON u.id = h.created_by`

func scanHold(s scanner) (h berth.Hold, err error) {
	err = s.Scan(&h.ID, &h.WorkspaceID, &h.Reason, &h.CreatedBy, &h.By, at(&h.CreatedAt), at(&h.Until))
	return h, err
}

// Holds lists the holds of a workspace that last at now, the longest first.
func (q *Query) Holds(ws berth.WorkspaceID, now time.Time) ([]berth.Hold, error) {
	return all(q, scanHold, holdRow+` WHERE h.workspace_id = $1 AND h.until > $2 ORDER BY h.until DESC, h.id`, ws, stamp(now))
}

// PutHold adds a hold, or changes the end of the one with its id.
func (tx *Tx) PutHold(h berth.Hold) error {
	_, err := tx.exec(`INSERT INTO holds (id, workspace_id, reason, created_by, created_at, until) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until`,
		h.ID, h.WorkspaceID, clean(h.Reason, 1000), h.CreatedBy, stamp(h.CreatedAt), stamp(h.Until))
	return err
}

// DeleteHold ends a hold of a workspace, for whom the rules are asked at once.
func (tx *Tx) DeleteHold(ws berth.WorkspaceID, id berth.HoldID) error {
	if err := tx.LookAgain(ws); err != nil {
		return err
	}
	return tx.must("hold", `DELETE FROM holds WHERE workspace_id = $1 AND id = $2`, ws, id)
}

// DeleteEndedHolds removes up to most holds that ended before a time, and tells
// how many.
func (tx *Tx) DeleteEndedHolds(before time.Time, most int) (int64, error) {
	return tx.exec(`DELETE FROM holds WHERE id IN (SELECT id FROM holds WHERE until <= $1 ORDER BY until LIMIT $2)`, stamp(before), most)
}
