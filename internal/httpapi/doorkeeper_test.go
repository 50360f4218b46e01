package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/internal/workspaces"
)

func TestConnectionsEndWithTheirAdmission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("you may not any more")
		bad, good := workspaces.Admission{User: "bad"}, workspaces.Admission{User: "good"}
		var ended atomic.Bool
		var looks atomic.Int64
		d := &doorkeeper{log: slog.New(slog.DiscardHandler), every: lookAtAdmissions,
			refused: func(_ context.Context, all []workspaces.Admission) (map[workspaces.Admission]error, error) {
				n := looks.Add(1)
				if len(all) > 2 {
					t.Errorf("%d admissions are looked at, of two that many use", len(all))
				}
				switch {
				case n == 2:
					return nil, errors.New("the database is away")
				case ended.Load():
					return map[workspaces.Admission]error{bad: why}, nil
				}
				return nil, nil
			}}
		var theirs []context.Context
		var leaves []func()
		for range 100 {
			ctx, leave := d.admit(t.Context(), bad)
			leaves = append(leaves, leave)
			theirs = append(theirs, ctx)
		}
		ours, leave := d.admit(t.Context(), good)
		time.Sleep(time.Minute)
		if looks.Load() < 3 || theirs[0].Err() != nil || ours.Err() != nil {
			t.Fatalf("after a minute, and %d looks, something ended: %v, %v", looks.Load(), theirs[0].Err(), ours.Err())
		}
		ended.Store(true)
		began := time.Now()
		for _, ctx := range theirs {
			<-ctx.Done()
			if took := time.Since(began); context.Cause(ctx) != why || took > 20*time.Second {
				t.Fatalf("ended after %v: %v", took, context.Cause(ctx))
			}
		}
		if ours.Err() != nil {
			t.Error("another's connection ended too")
		}
		leave()
		if why := context.Cause(ours); why != context.Canceled {
			t.Errorf("a connection that was left: %v", why)
		}
		for _, leave := range leaves {
			leave()
		}
		time.Sleep(time.Minute)
	})
}

// Nothing goes on behind the last connection, and begins again with the next.
func TestTheDoorkeeperRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		d := &doorkeeper{log: slog.New(slog.DiscardHandler), every: lookAtAdmissions,
			refused: func(context.Context, []workspaces.Admission) (map[workspaces.Admission]error, error) {
				looks.Add(1)
				return nil, nil
			}}
		for round := 1; round <= 2; round++ {
			_, leave := d.admit(t.Context(), workspaces.Admission{})
			time.Sleep(lookAtAdmissions + time.Second)
			leave()
			time.Sleep(time.Hour)
			d.mu.Lock()
			if looks.Load() != int64(round) || d.looking || len(d.open) > 0 {
				t.Errorf("after round %d: %d looks, looking %v, %d open", round, looks.Load(), d.looking, len(d.open))
			}
			d.mu.Unlock()
		}
	})
}

// What somebody is told of is looked at then, and not at the next look; nothing
// goes on listening behind the last connection.
func TestTheDoorkeeperIsRungFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ana, bob := workspaces.Admission{User: "ana"}, workspaces.Admission{User: "bob"}
		rings := map[workspaces.Admission]chan struct{}{ana: make(chan struct{}, 1), bob: make(chan struct{}, 1)}
		var listening atomic.Int64
		var ended atomic.Bool
		why := errors.New("unshared")
		d := &doorkeeper{log: slog.New(slog.DiscardHandler), every: time.Hour,
			watches: func(a workspaces.Admission) (<-chan struct{}, func()) {
				listening.Add(1)
				return rings[a], func() { listening.Add(-1) }
			},
			refused: func(_ context.Context, all []workspaces.Admission) (map[workspaces.Admission]error, error) {
				if ended.Load() {
					return map[workspaces.Admission]error{all[0]: why}, nil
				}
				return nil, nil
			}}
		first, leave := d.admit(t.Context(), ana)
		second, leaveToo := d.admit(t.Context(), ana)
		other, leaveOther := d.admit(t.Context(), bob)
		synctest.Wait()
		if listening.Load() != 2 {
			t.Errorf("%d listen for two admissions", listening.Load())
		}
		ended.Store(true)
		rings[ana] <- struct{}{}
		synctest.Wait()
		if context.Cause(first) != why || context.Cause(second) != why || other.Err() != nil {
			t.Errorf("after the ring: %v, %v, another's %v", context.Cause(first), context.Cause(second), other.Err())
		}
		for _, leave := range []func(){leave, leave, leaveToo, leaveOther} {
			leave()
		}
		synctest.Wait()
		if listening.Load() != 0 || len(d.open) != 0 {
			t.Errorf("%d still listen, %d open", listening.Load(), len(d.open))
		}
		late, leave := d.admit(t.Context(), bob) // it ended between the first look and here
		synctest.Wait()
		if context.Cause(late) != why {
			t.Errorf("somebody who came too late: %v", context.Cause(late))
		}
		leave()
		time.Sleep(time.Hour)
	})
}
