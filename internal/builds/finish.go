package builds

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Finish ends the caller's taking. Sent again by the same taking it changes
// nothing. From a taking that is over, its state is kept aside and the answer is
// conflict.
//
// What a runner found and may not be (an agent of another workspace, a name
// twice) does not keep the build alive: it ends as failed, with code "result",
// and its state is kept.
func (q *Queue) Finish(ctx context.Context, c Call, r Report) error {
	r = r.settled()
	meaning, err := q.finish(ctx, c, r)
	if err == nil || !meaning || !meant(err) {
		return err
	}
	r.Error, r.ErrorCode, r.Canceled = berth.ErrorMessage(err), berth.FailedResult, false
	r.Agents, r.Contents, r.Carried = nil, nil, nil
	_, err = q.finish(ctx, c, r)
	return err
}

// settled is the report in the one form that the rest expects: failed with a
// sentence and a code, canceled without, or neither.
func (r Report) settled() Report {
	if len(r.Refused) > 0 && r.Error == "" {
		r.Error, r.ErrorCode = "it would have destroyed something persistent", berth.FailedPersistence
	}
	switch {
	case r.ErrorCode == "canceled" || r.Canceled && r.Error == "":
		r.Canceled, r.Error, r.ErrorCode = true, "", ""
	case r.Error == "":
		r.ErrorCode = ""
	case r.ErrorCode == "":
		r.ErrorCode = berth.FailedTerraform
	}
	return r
}

// finish tells with meaning whether an error came from what the report means, in
// contrast to who reports it.
func (q *Queue) finish(ctx context.Context, c Call, r Report) (meaning bool, err error) {
	var stale error
	err = q.db.Write(ctx, func(tx *store.Tx) error {
		meaning, stale = false, nil
		b, err := c.build(&tx.Query)
		if err != nil {
			return err
		}
		if err := q.keepState(tx, b, c, r.Lineage, r.Serial, r.State); err != nil {
			return err
		}
		switch {
		case c.holds(b):
			meaning, err = q.end(tx, b, r, false)
			return err
		case c.took(b) && b.AbandonAt.IsZero():
			return nil // sent again
		}
		stale = c.stale()
		return nil
	})
	if err == nil {
		err = stale
	}
	return meaning, err
}

// end ends b, and does what that means. The caller has made sure that it may.
func (q *Queue) end(tx *store.Tx, b berth.Build, r Report, abandoned bool) (meaning bool, err error) {
	if err := tx.EndBuild(b.ID, b.Attempt, store.Ended{ErrorCode: r.ErrorCode, Error: r.Error, Refused: r.Refused,
		Canceled: r.Canceled, Abandoned: abandoned, Resources: r.Resources, Timings: r.Timings}); err != nil {
		return false, err
	}
	changed(tx, b)
	if b, err = tx.Build(b.ID); err != nil {
		return false, err
	}
	if err := replaceAgents(tx, b, r); err != nil {
		return true, err
	}
	if finish := q.kinds.of(b).Finish; finish != nil {
		return true, finish(tx, b, r)
	}
	return false, nil
}
