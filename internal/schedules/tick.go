package schedules

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

const (
	batch   = 500 // due workspaces that are read at once
	asking  = 32  // of those, whose agents are asked at once
	writing = 4   // of those, for whom is written at once

	// atLeast is how soon a workspace is looked at again at the earliest, and
	// afterTrouble when something is wrong with it that has nothing to do with its
	// rules.
	atLeast      = 10 * time.Second
	afterTrouble = 10 * time.Minute
)

// Tick asks the rules of every workspace that is due, does what they say, and
// tells how many things it did. It is safe on every replica at once. What is
// wrong with one workspace keeps no other one waiting.
func (s *Service) Tick(ctx context.Context, now time.Time) (did int64, err error) {
	t := &tick{Service: s, now: now.UTC(), rooms: s.newRooms(), writes: make(chan struct{}, writing)}
	var after store.Due
	for {
		var due []store.Due
		if err := s.db.Read(ctx, func(q *store.Query) (err error) {
			due, err = q.Due(t.now, after, batch)
			return err
		}); err != nil || len(due) == 0 {
			return t.did.Load(), errors.Join(append(t.problems, err)...)
		}
		after = due[len(due)-1]
		if err := t.all(ctx, due); err != nil || len(due) < batch {
			return t.did.Load(), errors.Join(append(t.problems, err)...)
		}
	}
}

// tick is one run of Tick.
type tick struct {
	*Service
	now    time.Time
	rooms  *rooms
	writes chan struct{} // one place for each that writes
	did    atomic.Int64

	mu       sync.Mutex
	problems []error
}

// all asks the rules of some workspaces. It fails only where none of them could
// be read.
func (t *tick) all(ctx context.Context, due []store.Due) error {
	facts, err := t.read(ctx, due)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case len(due) == 1:
		return t.trouble(ctx, due[0], err)
	default: // one of them cannot be read
		for _, d := range due {
			if err := t.all(ctx, []store.Due{d}); err != nil {
				return err
			}
		}
		return nil
	}
	var looks []store.Look
	var acts []act
	for _, d := range due {
		f, ok := facts[d.ID]
		if !ok {
			looks = append(looks, store.Look{Due: d}) // it has no build yet: the end of its first one has it looked at
			continue
		}
		if step := lifecycle.Next(f, t.now); rests(f, step) {
			looks = append(looks, store.Look{Due: d, Next: lookAt(step.Look, t.now)})
		} else {
			acts = append(acts, act{due: d, ask: step.Ask})
		}
	}
	if len(looks) > 0 {
		if err := t.db.Guarded(ctx, func(tx *store.Tx) error {
			_, err := tx.Looked(looks)
			return err
		}); err != nil {
			return err
		}
	}
	// In any order, so that replicas meet rarely.
	rand.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
	return t.each(ctx, acts)
}

func (t *tick) read(ctx context.Context, due []store.Due) (facts map[berth.WorkspaceID]lifecycle.Facts, err error) {
	ids := make([]berth.WorkspaceID, len(due))
	for i, d := range due {
		ids[i] = d.ID
	}
	err = t.db.Read(ctx, func(q *store.Query) error {
		facts, err = t.factsOf(q, ids, t.now, t.rooms)
		return err
	})
	return facts, err
}

// rests tells whether a step is nothing but to look again.
func rests(f lifecycle.Facts, step lifecycle.Step) bool {
	return step.Do == lifecycle.Nothing && !step.Ask && f.Workspace.UnknownSince.IsZero()
}

// lookAt is when to look again: never at once, since that would be for ever.
func lookAt(look, now time.Time) time.Time {
	if look.IsZero() || look.Sub(now) >= atLeast {
		return look
	}
	return now.Add(atLeast)
}

// each does what the rules want, side by side.
func (t *tick) each(ctx context.Context, acts []act) error {
	var all sync.WaitGroup
	places := make(chan struct{}, asking)
	for _, a := range acts {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			did, err := t.act(ctx, a)
			if err != nil && ctx.Err() == nil {
				err = t.trouble(ctx, a.due, err)
			}
			if did {
				t.did.Add(1)
			}
			if err != nil {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.problems = append(t.problems, err)
			}
		})
	}
	all.Wait()
	return ctx.Err()
}

// trouble reports what is wrong with one workspace and has it looked at some
// time later.
func (t *tick) trouble(ctx context.Context, d store.Due, problem error) error {
	problem = fmt.Errorf("the rules of workspace %s: %w", d.ID, problem)
	if berth.ErrorCode(problem) == berth.Unavailable { // it is the database, not the workspace
		return problem
	}
	t.mu.Lock()
	t.problems = append(t.problems, problem)
	t.mu.Unlock()
	return t.db.Guarded(ctx, func(tx *store.Tx) error {
		_, err := tx.Looked([]store.Look{{Due: d, Next: t.now.Add(afterTrouble)}})
		return err
	})
}
