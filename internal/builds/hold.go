package builds

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Beat renews the lease of the caller's taking, also one that had lapsed, and
// tells what its holder shall do.
func (q *Queue) Beat(ctx context.Context, c Call) (o Orders, err error) {
	err = q.db.Guarded(ctx, func(tx *store.Tx) error {
		found, ok, err := tx.BeatBuild(c.taking(), q.opt.Lease)
		if err != nil {
			return err
		}
		if !ok {
			return c.stale()
		}
		o.Cancel = !found.CanceledAt.IsZero()
		o.Force = !found.ForcedAt.IsZero() || o.Cancel && tx.Now.Sub(found.CanceledAt) > q.opt.Grace
		_, err = tx.SeeRunner(c.Provider, c.Runner)
		return err
	})
	return o, err
}

// Judge decides whether the caller's taking may do what it plans. Once it is
// allowed, that is on record before the caller knows. Asked again, it decides
// again.
func (q *Queue) Judge(ctx context.Context, c Call, p berth.Plan) (v berth.Verdict, err error) {
	err = q.db.Write(ctx, func(tx *store.Tx) error {
		v = berth.Verdict{}
		b, err := c.build(&tx.Query)
		if err != nil {
			return err
		}
		if !c.holds(b) {
			return c.stale()
		}
		if !b.CanceledAt.IsZero() {
			v = berth.Verdict{Reason: "the build was canceled before it changed anything", ErrorCode: "canceled"}
			return nil
		}
		judge := q.kinds.of(b).Judge
		if judge == nil {
			return berth.Errorf(berth.Invalid, "a build with transition %s changes nothing, so there is nothing to judge", b.Transition)
		}
		if v, err = judge(&tx.Query, b, p); err != nil || !v.Allow {
			return err
		}
		ok, err := tx.AllowBuild(c.taking())
		if err == nil && !ok {
			return c.stale()
		}
		return err
	})
	if err != nil {
		return berth.Verdict{}, err
	}
	return v, nil
}
