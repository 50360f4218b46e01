package builds

import (
	"context"
	"time"

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
		o = q.orders(found.CanceledAt, found.ForcedAt, tx.Now)
		_, err = tx.SeeRunner(c.Provider, c.Runner)
		return err
	})
	return o, err
}

// AwaitOrders is Beat that answers once the orders are others than the known
// ones: at the latest after wait, which is at most Options.Beat, or when ctx is
// done. The lease is renewed at the beginning only.
func (q *Queue) AwaitOrders(ctx context.Context, c Call, known Orders, wait time.Duration) (Orders, error) {
	woken, cancel := q.db.Waits(store.BuildTopic(c.Build)) // before looking
	defer cancel()
	end := time.NewTimer(min(wait, q.opt.Beat))
	defer end.Stop()
	poll := time.NewTicker(q.opt.Poll)
	defer poll.Stop()
	o, err := q.Beat(ctx, c)
	for err == nil && o == known && wait > 0 {
		select {
		case <-ctx.Done():
			return o, nil
		case <-end.C:
			return o, nil
		case <-woken:
		case <-poll.C:
		}
		o, err = q.look(ctx, c)
	}
	return o, err
}

// look tells the holder what Beat would, and renews nothing.
func (q *Queue) look(ctx context.Context, c Call) (o Orders, err error) {
	err = q.db.Read(ctx, func(query *store.Query) error {
		found, ok, err := query.Beaten(c.taking())
		if err == nil && !ok {
			return c.stale()
		}
		o = q.orders(found.CanceledAt, found.ForcedAt, time.Now())
		return err
	})
	return o, err
}

// orders are what the holder of a build shall do.
func (q *Queue) orders(canceled, forced, now time.Time) (o Orders) {
	o.Cancel = !canceled.IsZero()
	o.Force = !forced.IsZero() || o.Cancel && now.Sub(canceled) > q.opt.Grace
	return o
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
		if v, err = judge(tx, b, p); err != nil || !v.Allow {
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
