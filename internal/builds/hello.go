package builds

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Limits of what a runner says of itself.
const (
	maxRunnerID = 100
	maxSlots    = 10000
)

// Hello notes what a runner says of itself and gives back which of the takings
// that it names are still its own; their leases are renewed. What it was believed
// to hold and does not name ends here; the doc of the package says how. A runner
// says hello only while none of its Takes is under way.
func (q *Queue) Hello(ctx context.Context, provider berth.ProviderID, h Hello) ([]Held, error) {
	if h.Runner == "" || len(h.Runner) > maxRunnerID {
		return nil, berth.InvalidField("runner_id", "a runner has an id of 1 to %d characters", maxRunnerID)
	}
	if h.Slots < 0 || h.Slots > maxSlots {
		return nil, berth.InvalidField("slots", "a runner has 0 to %d slots", maxSlots)
	}
	var believed []store.HeldBuild
	err := q.db.Write(ctx, func(tx *store.Tx) (err error) {
		if err := tx.PutRunner(store.Runner{ID: h.Runner, ProviderID: provider, Version: h.Version,
			Terraform: h.Terraform, Problem: h.Problem, Slots: h.Slots}); err != nil {
			return err
		}
		if _, err := tx.SeeRunner(provider, h.Runner); err != nil {
			return err
		}
		believed, err = tx.HeldBy(provider, h.Runner)
		return err
	})
	if err != nil {
		return nil, err
	}
	named := map[Held]bool{}
	for _, held := range h.Holds {
		named[held] = true
	}
	var yours []Held
	var errs []error
	for _, b := range believed { // each by itself: one bad one does not stop the others
		held := Held{b.ID, b.Attempt}
		if named[held] {
			if _, err := q.Beat(ctx, callOf(b.Build)); err == nil {
				yours = append(yours, held)
			} else if !errors.Is(err, berth.Conflict) {
				errs = append(errs, err)
			}
			continue
		}
		if err := q.missing(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("build %s: %w", b.ID, err))
		}
	}
	return yours, errors.Join(errs...)
}

// missing does with a build what follows from its holder not having it.
func (q *Queue) missing(ctx context.Context, b store.HeldBuild) error {
	switch {
	case !b.CanceledAt.IsZero() && !b.Judged:
		return q.Finish(ctx, callOf(b.Build), Report{Canceled: true})
	case b.Judged:
		return q.Finish(ctx, callOf(b.Build), Report{ErrorCode: berth.FailedLost, Error: "its runner ended while Terraform may have been at work, and kept nothing of it. " +
			"The last state that it had sent is kept; what was being made just then may be left behind and unknown. Build again to repair the rest"})
	case b.Attempt >= q.opt.Attempts:
		return q.Finish(ctx, callOf(b.Build), Report{ErrorCode: berth.FailedLost, Error: fmt.Sprintf(
			"it was given to runners %d times and each time lost before it changed anything: see the log of the runner %s", b.Attempt, b.RunnerID)})
	}
	return q.putBack(ctx, b.Build)
}
