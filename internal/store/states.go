package store

import (
	"github.com/berthdev/berth"
)

const stateColumns = `id, workspace_id, build_id, attempt, lineage, serial, is_current, size, created_by, created_at`

// stateInto is where stateColumns are scanned to.
func stateInto(r *berth.StateRevision) []any {
	return []any{&r.ID, &r.WorkspaceID, text(&r.BuildID), &r.Attempt, &r.Lineage, &r.Serial, &r.Current, &r.Size,
		text(&r.CreatedBy), at(&r.CreatedAt)}
}

func scanState(s scanner) (r berth.StateRevision, err error) {
	err = s.Scan(stateInto(&r)...)
	return r, err
}

// InsertState keeps a revision of a workspace's state, sealed. A current one
// takes the place of the current one before, which is dropped when the same
// taking of the same build made it: of the many revisions of one build the last
// is the one that tells something. Of the others the newest keep stay. It gives
// the revision with its id.
func (tx *Tx) InsertState(r berth.StateRevision, sealed []byte, keep int) (berth.StateRevision, error) {
	id, err := one(&tx.Query, "state", single[int64], `SELECT COALESCE(max(id), 0) + 1 FROM state_revisions WHERE workspace_id = $1`, r.WorkspaceID)
	if err != nil {
		return r, err
	}
	r.ID, r.CreatedAt = id, tx.Now
	if r.Current {
		if r.BuildID != "" {
			if _, err := tx.exec(`DELETE FROM state_revisions WHERE workspace_id = $1 AND is_current AND build_id = $2 AND attempt = $3`,
				r.WorkspaceID, r.BuildID, r.Attempt); err != nil {
				return r, err
			}
		}
		if _, err := tx.exec(`UPDATE state_revisions SET is_current = FALSE WHERE workspace_id = $1 AND is_current`, r.WorkspaceID); err != nil {
			return r, err
		}
	}
	if _, err := tx.exec(`
		INSERT INTO state_revisions (workspace_id, id, build_id, attempt, lineage, serial, is_current, sealed, size, created_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.WorkspaceID, r.ID, orNull(r.BuildID), r.Attempt, clean(r.Lineage, maxWord), r.Serial, r.Current, sealed, r.Size,
		orNull(r.CreatedBy), stamp(r.CreatedAt)); err != nil {
		return r, err
	}
	_, err = tx.exec(`DELETE FROM state_revisions WHERE workspace_id = $1 AND id <= $2 AND NOT is_current`, r.WorkspaceID, r.ID-int64(keep))
	return r, err
}

// CurrentState is the current revision of a workspace's state, sealed; not_found
// when there is none.
func (q *Query) CurrentState(ws berth.WorkspaceID) (berth.StateRevision, []byte, error) {
	return q.state(`SELECT `+stateColumns+`, sealed FROM state_revisions WHERE workspace_id = $1 AND is_current`, ws)
}

// State is one revision, sealed.
func (q *Query) State(ws berth.WorkspaceID, id int64) (berth.StateRevision, []byte, error) {
	return q.state(`SELECT `+stateColumns+`, sealed FROM state_revisions WHERE workspace_id = $1 AND id = $2`, ws, id)
}

func (q *Query) state(query string, args ...any) (berth.StateRevision, []byte, error) {
	var sealed []byte
	r, err := one(q, "state", func(s scanner) (r berth.StateRevision, err error) {
		err = s.Scan(append(stateInto(&r), &sealed)...)
		return r, err
	}, query, args...)
	return r, sealed, err
}

// States lists the kept revisions of a workspace's state, newest first.
func (q *Query) States(ws berth.WorkspaceID) ([]berth.StateRevision, error) {
	return all(q, scanState, `SELECT `+stateColumns+` FROM state_revisions WHERE workspace_id = $1 ORDER BY id DESC`, ws)
}

// HasStateAside tells whether a build's taking has put this very revision aside.
func (q *Query) HasStateAside(r berth.StateRevision) (bool, error) {
	n, err := one(q, "state", single[int], `SELECT count(*) FROM state_revisions
		WHERE workspace_id = $1 AND build_id = $2 AND attempt = $3 AND lineage = $4 AND serial >= $5`,
		r.WorkspaceID, r.BuildID, r.Attempt, r.Lineage, r.Serial)
	return n > 0, err
}
