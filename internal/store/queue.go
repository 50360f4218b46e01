package store

import (
	"time"

	"github.com/berthdev/berth"
)

// The statements of the queue. They are made for Guarded: each carries its whole
// guard, so that it is right beside every other transaction, also on
// PostgreSQL at read committed.

// TakeBuild gives the first pending build of the provider to the runner r, unless
// that has said hello again since r was read: then it is conflict. Classes above
// most are left. ok is false when there is none, and also when another runner was
// faster; more tells that there may be another one.
func (tx *Tx) TakeBuild(r Runner, most berth.Class, lease time.Duration) (b berth.Build, ok, more bool, err error) {
	ids, err := all(&tx.Query, single[berth.BuildID], `
		SELECT id FROM builds
		WHERE provider_id = $1 AND started_at IS NULL AND completed_at IS NULL AND class <= $2
		ORDER BY class, created_at, id LIMIT 1`, r.ProviderID, most)
	if err != nil || len(ids) == 0 {
		return b, false, false, err
	}
	// This locks the runner's row: a hello comes before and refuses this take, or
	// behind and knows of it.
	same, err := tx.exec(`UPDATE runners SET seen_at = $4 WHERE id = $1 AND provider_id = $2 AND started_at = $3`,
		r.ID, r.ProviderID, stamp(r.StartedAt), stamp(tx.Now))
	if err == nil && same == 0 {
		err = berth.Errorf(berth.Conflict, "the runner %s has said hello since it began to wait: let it take again", r.ID)
	}
	if err != nil {
		return b, false, false, err
	}
	// The guard is repeated: on PostgreSQL another runner may have taken it since
	// it was read.
	n, err := tx.exec(`
		UPDATE builds SET runner_id = $2, attempt = attempt + 1, started_at = $3, lease_at = $4, judged_at = NULL
		WHERE id = $1 AND started_at IS NULL AND completed_at IS NULL`, ids[0], r.ID, tx.Now.UnixMicro(), tx.lease(lease))
	if err != nil || n == 0 {
		return b, false, err == nil, err
	}
	b, err = tx.Build(ids[0])
	return b, err == nil, true, err
}

// held is the guard of everything that a holder does.
const held = ` WHERE id = $1 AND attempt = $2 AND runner_id = $3 AND provider_id = $4 AND completed_at IS NULL`

// Beaten is what a beat finds out.
type Beaten struct {
	CanceledAt time.Time
	ForcedAt   time.Time
}

// BeatBuild renews the lease of a taking, also when it had lapsed: nobody else
// can have been given the build. ok is false when the taking is no longer the
// caller's.
func (tx *Tx) BeatBuild(t Taking, lease time.Duration) (_ Beaten, ok bool, err error) {
	return firstBeaten(all(&tx.Query, scanBeaten, `UPDATE builds SET lease_at = $5`+held+` RETURNING canceled_at, forced_at`,
		t.Build, t.Attempt, t.Runner, t.Provider, tx.lease(lease)))
}

// Beaten is what BeatBuild would tell, without a beat.
func (q *Query) Beaten(t Taking) (_ Beaten, ok bool, err error) {
	return firstBeaten(all(q, scanBeaten, `SELECT canceled_at, forced_at FROM builds`+held,
		t.Build, t.Attempt, t.Runner, t.Provider))
}

func scanBeaten(s scanner) (b Beaten, err error) {
	return b, s.Scan(at(&b.CanceledAt), at(&b.ForcedAt))
}

func firstBeaten(found []Beaten, err error) (_ Beaten, ok bool, _ error) {
	if err != nil || len(found) == 0 {
		return Beaten{}, false, err
	}
	return found[0], true, nil
}

// AllowBuild notes that the taking may change things from now on. ok is false
// when it is no longer the caller's, or somebody asked to cancel it.
func (tx *Tx) AllowBuild(t Taking) (ok bool, err error) {
	n, err := tx.exec(`UPDATE builds SET judged_at = COALESCE(judged_at, $5)`+held+` AND canceled_at IS NULL`,
		t.Build, t.Attempt, t.Runner, t.Provider, tx.Now.UnixMicro())
	return n > 0, err
}

// ReleaseBuild puts a taking back to pending that was never allowed to change
// anything. ok is false when it was, or is no longer the caller's.
func (tx *Tx) ReleaseBuild(t Taking) (ok bool, err error) {
	n, err := tx.exec(`UPDATE builds SET started_at = NULL, lease_at = NULL, runner_id = NULL`+held+
		` AND judged_at IS NULL AND canceled_at IS NULL`, t.Build, t.Attempt, t.Runner, t.Provider)
	return n > 0, err
}

// HeldBuild is a build that a runner is believed to hold.
type HeldBuild struct {
	berth.Build
	Judged bool // it was allowed to change things
}

// HeldBy lists the builds that the runner is believed to hold.
func (q *Query) HeldBy(provider berth.ProviderID, runner string) ([]HeldBuild, error) {
	return all(q, scanHeld, `SELECT `+buildColumns+`, b.judged_at IS NOT NULL FROM builds b
		WHERE b.runner_id = $1 AND b.completed_at IS NULL AND b.provider_id = $2 ORDER BY b.id`, runner, provider)
}

func scanHeld(s scanner) (h HeldBuild, err error) {
	err = s.Scan(append(buildInto(&h.Build), &h.Judged)...)
	return h, err
}

// extended scans more columns behind those of a noun.
type extended struct {
	scanner
	more []any
}

func (e extended) Scan(into ...any) error { return e.scanner.Scan(append(into, e.more...)...) }

// Pending counts the pending builds of a provider that go before one of the
// class made at the time; by id among equals.
func (q *Query) Pending(b berth.Build) (ahead int, err error) {
	return one(q, "build", single[int], `
		SELECT count(*) FROM builds
		WHERE provider_id = $1 AND started_at IS NULL AND completed_at IS NULL
		AND (class, created_at, id) < ($2, $3, $4)`, b.ProviderID, b.Class, b.CreatedAt.UnixMicro(), b.ID)
}

// Holding counts the builds of the provider that runners hold, and how many of
// them are of class least or above.
func (q *Query) Holding(provider berth.ProviderID, least berth.Class) (held, above int, err error) {
	err = q.row(`
		SELECT count(*), count(*) FILTER (WHERE class >= $2) FROM builds
		WHERE provider_id = $1 AND completed_at IS NULL AND runner_id IS NOT NULL`, provider, least).Scan(&held, &above)
	return held, above, err
}

// RenewLeases gives every holder whose lease had not lapsed at the time up the
// whole lease from now, and cuts leases that a clock gone back left too long. It
// tells how many changed.
func (tx *Tx) RenewLeases(up time.Time, lease time.Duration) (int64, error) {
	return tx.exec(`
		UPDATE builds SET lease_at = $1
		WHERE completed_at IS NULL AND runner_id IS NOT NULL AND lease_at >= $2 AND lease_at <> $1`,
		tx.lease(lease), up.UnixMicro())
}

// CutLeases shortens leases that end later than a lease given now would: the
// clock went back. It tells how many.
func (tx *Tx) CutLeases(lease time.Duration) (int64, error) {
	return tx.exec(`
		UPDATE builds SET lease_at = $1
		WHERE completed_at IS NULL AND runner_id IS NOT NULL AND lease_at > $1`, tx.lease(lease))
}
