package builds

import (
	"context"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Downtime is one run of the loop that keeps time without a server from counting
// against leases. Each replica runs it when it starts, before it answers, and
// every Options.Beat. It tells what it did; empty: nothing.
func (q *Queue) Downtime(ctx context.Context, replica string) (did string, err error) {
	err = q.db.Write(ctx, func(tx *store.Tx) error {
		did = ""
		up, err := tx.LastUp()
		if err != nil {
			return err
		}
		renewed, away := int64(0), tx.Now.Sub(up)
		if !up.IsZero() && away > 2*q.opt.Beat {
			if renewed, err = tx.RenewLeases(up, q.opt.Lease); err != nil {
				return err
			}
		}
		cut, err := tx.CutLeases(q.opt.Lease)
		if err != nil {
			return err
		}
		switch {
		case renewed > 0:
			did = fmt.Sprintf("renewed %d leases after %v without a server", renewed, away.Round(time.Second))
		case cut > 0:
			did = fmt.Sprintf("shortened %d leases: the clock went back", cut)
		}
		return tx.PutReplica(replica, berth.Release)
	})
	return did, err
}
