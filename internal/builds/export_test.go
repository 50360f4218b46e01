package builds

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// CancelNow is Cancel in a transaction of its own.
func (q *Queue) CancelNow(ctx context.Context, id berth.BuildID, force bool, expect berth.BuildStatus) (b berth.Build, err error) {
	err = q.db.Write(ctx, func(tx *store.Tx) error {
		b, err = q.Cancel(tx, id, force, expect)
		return err
	})
	return b, err
}

// AbandonNow is Abandon in a transaction of its own.
func (q *Queue) AbandonNow(ctx context.Context, id berth.BuildID, by berth.UserID) (b berth.Build, err error) {
	err = q.db.Write(ctx, func(tx *store.Tx) error {
		b, err = q.Abandon(tx, id, by)
		return err
	})
	return b, err
}
