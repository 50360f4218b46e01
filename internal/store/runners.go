package store

import (
	"time"

	"github.com/berthdev/berth"
)

// Runner is a runner as it told of itself.
type Runner struct {
	ID         string
	ProviderID berth.ProviderID
	Version    string
	Terraform  string // version; empty: there is none
	Slots      int
	Problem    string // why it cannot take builds; empty: it can
	StartedAt  time.Time
	SeenAt     time.Time
}

func scanRunner(s scanner) (r Runner, err error) {
	err = s.Scan(&r.ID, &r.ProviderID, &r.Version, &r.Terraform, &r.Slots, &r.Problem, at(&r.StartedAt), at(&r.SeenAt))
	return r, err
}

// PutRunner notes that a runner started, or says something new of itself. A
// runner stays with its provider: for another one it is forbidden.
func (tx *Tx) PutRunner(r Runner) error {
	n, err := tx.exec(`
		INSERT INTO runners (id, provider_id, version, terraform, slots, problem, started_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, terraform = EXCLUDED.terraform, slots = EXCLUDED.slots,
			problem = EXCLUDED.problem, started_at = EXCLUDED.started_at, seen_at = EXCLUDED.seen_at
		WHERE runners.provider_id = EXCLUDED.provider_id`,
		r.ID, r.ProviderID, clean(r.Version, maxWord), clean(r.Terraform, maxWord), r.Slots, clean(r.Problem, maxError), stamp(tx.Now))
	if err == nil && n == 0 {
		return berth.Errorf(berth.Forbidden, "the runner %s belongs to another workspace provider: give this one a work directory of its own", r.ID)
	}
	return err
}

// SeeRunner notes a sign of life of a runner. ok is false when it is not known,
// or known to another provider: it has to say hello first.
func (tx *Tx) SeeRunner(provider berth.ProviderID, id string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE runners SET seen_at = $3 WHERE id = $1 AND provider_id = $2`, id, provider, stamp(tx.Now))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.exec(`UPDATE providers SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $3 OR seen_at > $2)`,
		provider, stamp(tx.Now), stamp(tx.Now.Add(-10*time.Second)))
	return true, err
}

// Runner is one runner.
func (q *Query) Runner(id string) (Runner, error) {
	return one(q, "runner", scanRunner, `SELECT id, provider_id, version, terraform, slots, problem, started_at, seen_at
		FROM runners WHERE id = $1`, id)
}

// Runners lists the runners of a provider that gave a sign of life since.
func (q *Query) Runners(provider berth.ProviderID, since time.Time) ([]Runner, error) {
	return all(q, scanRunner, `SELECT id, provider_id, version, terraform, slots, problem, started_at, seen_at
		FROM runners WHERE provider_id = $1 AND seen_at >= $2 ORDER BY seen_at DESC`, provider, since.UnixMicro())
}
