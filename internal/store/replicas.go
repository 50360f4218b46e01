package store

import (
	"time"
)

// Replica is a server on this database.
type Replica struct {
	ID        string
	Version   string
	StartedAt time.Time
	SeenAt    time.Time
}

// PutReplica notes that a replica is up, and forgets those of long ago.
func (tx *Tx) PutReplica(id, version string) error {
	if _, err := tx.exec(`
		INSERT INTO replicas (id, version, started_at, seen_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, seen_at = EXCLUDED.seen_at`, id, version, stamp(tx.Now)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM replicas WHERE seen_at < $1 AND id <> $2`, stamp(tx.Now.Add(-24*time.Hour)), id)
	return err
}

// Replicas lists the replicas of the last day, the last seen first.
func (q *Query) Replicas() ([]Replica, error) {
	return all(q, func(s scanner) (r Replica, err error) {
		return r, s.Scan(&r.ID, &r.Version, at(&r.StartedAt), at(&r.SeenAt))
	}, `SELECT id, version, started_at, seen_at FROM replicas ORDER BY seen_at DESC, id`)
}

// LastUp is when a replica was last seen up; the zero time if none ever was.
// Times that lie ahead, since the clock went back, count as now.
func (tx *Tx) LastUp() (up time.Time, err error) {
	if _, err := tx.exec(`UPDATE replicas SET seen_at = $1 WHERE seen_at > $1`, stamp(tx.Now)); err != nil {
		return up, err
	}
	return up, tx.row(`SELECT max(seen_at) FROM replicas`).Scan(at(&up))
}
