package builds

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Take gives the next build of the provider to the runner; nil when there was
// none for the time of wait. Without refills, builds of class refill are left. A
// runner that is not known has to say hello first: conflict.
//
// A runner that does not get the answer, since the connection broke, says hello
// again before it takes more: that puts back what was meant for it, and a Take
// that still waits here for nobody gets nothing any more.
func (q *Queue) Take(ctx context.Context, provider berth.ProviderID, runner string, wait time.Duration, refills bool) (*Job, error) {
	most := berth.ClassScheduled
	if refills {
		most = berth.ClassRefill
	}
	woken, cancel := q.db.Waits(store.QueueTopic(provider)) // before looking
	defer cancel()
	r, err := q.seen(ctx, provider, runner)
	if err != nil {
		return nil, err
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	poll := time.NewTicker(q.opt.Poll)
	defer poll.Stop()
	for {
		job, err := q.takeNow(ctx, r, most)
		if job != nil || err != nil {
			return job, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-end.C:
			return nil, nil
		case <-woken:
		case <-poll.C:
		}
	}
}

// seen notes that the runner lives, and gives it as it last said hello.
func (q *Queue) seen(ctx context.Context, provider berth.ProviderID, runner string) (r store.Runner, err error) {
	err = q.db.Guarded(ctx, func(tx *store.Tx) error {
		known, err := tx.SeeRunner(provider, runner)
		if err != nil {
			return err
		}
		if !known {
			return berth.Errorf(berth.Conflict, "the runner %q is not known: it has to say hello first", runner)
		}
		r, err = tx.Runner(runner)
		return err
	})
	return r, err
}

// takeNow takes builds until one can be run or there is none.
func (q *Queue) takeNow(ctx context.Context, r store.Runner, most berth.Class) (*Job, error) {
	for {
		var b berth.Build
		var ok, more bool
		err := q.db.Guarded(ctx, func(tx *store.Tx) (err error) {
			if b, ok, more, err = tx.TakeBuild(r, most, q.opt.Lease); ok {
				changed(tx, b)
			}
			return err
		})
		switch {
		case err != nil:
			return nil, err
		case ok:
			job, err := q.prepare(ctx, b)
			if job != nil || err != nil {
				return job, err
			}
		case !more:
			return nil, nil
		}
	}
}

// prepare gathers what the runner needs. A build that can never be run ends
// here, and prepare gives nil; one that cannot be run now goes back.
func (q *Queue) prepare(ctx context.Context, b berth.Build) (*Job, error) {
	job := Job{Build: b}
	var err error
	if first := q.kinds.of(b).Prepare; first != nil {
		err = first(ctx, b)
	}
	if err == nil {
		err = q.input(ctx, b, &job)
	}
	if err == nil && ctx.Err() == nil {
		return &job, nil
	}
	// The caller may be gone; the build must not stay with nobody.
	if err == nil {
		err = ctx.Err()
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if meant(err) {
		return nil, q.Finish(clean, callOf(b), Report{Error: berth.ErrorMessage(err), ErrorCode: berth.FailedInput})
	}
	if back := q.putBack(clean, b); back != nil {
		return nil, back
	}
	return nil, err
}

// input reads what b needs.
func (q *Queue) input(ctx context.Context, b berth.Build, job *Job) error {
	return q.db.Read(ctx, func(query *store.Query) (err error) {
		if job.Input, err = q.kinds.of(b).Job(query, b); err != nil {
			return err
		}
		if b.On() != "" && !b.Orphan {
			job.State, err = q.CurrentState(query, b.On())
		}
		return err
	})
}

// meant tells whether err is about the build itself, so that doing the same
// again is of no use.
func meant(err error) bool {
	switch berth.ErrorCode(err) {
	case "", berth.Internal, berth.Unavailable:
		return false
	}
	return true
}

// putBack makes a taking pending again that was never judged.
func (q *Queue) putBack(ctx context.Context, b berth.Build) error {
	return q.db.Guarded(ctx, func(tx *store.Tx) error {
		ok, err := tx.ReleaseBuild(callOf(b).taking())
		if ok {
			tx.Wake(store.QueueTopic(b.ProviderID))
			changed(tx, b)
		}
		return err
	})
}

// callOf is the call that the present holder of b would make.
func callOf(b berth.Build) Call {
	return Call{Provider: b.ProviderID, Runner: b.RunnerID, Build: b.ID, Attempt: b.Attempt}
}

func (c Call) taking() store.Taking {
	return store.Taking{Build: c.Build, Attempt: c.Attempt, Runner: c.Runner, Provider: c.Provider}
}

// holds tells whether the call is about the present taking of b, which runs.
func (c Call) holds(b berth.Build) bool {
	return c.took(b) && b.Active()
}

// took tells whether the call is about the last taking of b.
func (c Call) took(b berth.Build) bool {
	return b.ProviderID == c.Provider && b.RunnerID == c.Runner && b.Attempt == c.Attempt && c.Runner != "" && c.Attempt > 0
}

// stale is the answer to a call about a taking that is over.
func (c Call) stale() error {
	return berth.Errorf(berth.Conflict, "attempt %d of build %s is no longer yours: end it", c.Attempt, c.Build)
}

// build is the build of a call. One of another provider is not found.
func (c Call) build(q *store.Query) (berth.Build, error) {
	b, err := q.Build(c.Build)
	if err == nil && b.ProviderID != c.Provider {
		return berth.Build{}, berth.Errorf(berth.NotFound, "there is no such build")
	}
	return b, err
}
