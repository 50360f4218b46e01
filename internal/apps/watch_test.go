package apps

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
)

// What is open is cut soon after its opener lost access, and only then.
func TestOpenThingsAreCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after func(Door) (Door, error)
		cut   bool
	}{
		"nothing changed":      {func(d Door) (Door, error) { return d, nil }, false},
		"the login ended":      {func(Door) (Door, error) { return Door{}, berth.Errorf(berth.Unauthenticated, "") }, true},
		"unshared":             {func(Door) (Door, error) { return Door{}, berth.Errorf(berth.NotFound, "") }, true},
		"suspended":            {func(Door) (Door, error) { return Door{}, berth.Errorf(berth.Forbidden, "") }, true},
		"stopped":              {func(d Door) (Door, error) { d.Status = berth.StatusStopping; return d, nil }, true},
		"another workspace":    {func(d Door) (Door, error) { d.Workspace = "w2"; return d, nil }, true},
		"the database is away": {func(Door) (Door, error) { return Door{}, errors.New("away") }, false},
		"the agent blinked":    {func(d Door) (Door, error) { d.Connected = false; return d, nil }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			door := Door{Workspace: "w1", Agent: "a1", Status: berth.StatusRunning, Connected: true}
			var changed atomic.Bool
			p := New(Options{Keys: newKeys(t), Open: func(context.Context, Visitor, berth.AppRef, bool) (Door, error) {
				if changed.Load() {
					return c.after(door)
				}
				return door, nil
			}})
			defer p.Close()
			q := question{visitor: ana}
			ctx, done := p.watch(t.Context(), q, door)
			defer done()
			time.Sleep(10 * time.Minute)
			if ctx.Err() != nil {
				t.Fatalf("%s: cut while nothing had changed", name)
			}
			changed.Store(true)
			time.Sleep(cutWithin)
			if cut := ctx.Err() != nil; cut != c.cut {
				t.Errorf("%s: cut within %v: %v", name, cutWithin, cut)
			}
		})
	}
}

// Where something is rung for, open things are cut then, and nobody gets in by
// what was remembered.
func TestRungForAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := Door{Workspace: "w1", Agent: "a1", Status: berth.StatusRunning, Connected: true}
		var ended atomic.Bool
		var opened atomic.Int64
		var mu sync.Mutex
		waiting := map[chan struct{}]bool{}
		p := New(Options{Keys: newKeys(t),
			Watch: func(v Visitor, w berth.WorkspaceID) (<-chan struct{}, func()) {
				if v != ana || w != "w1" {
					t.Errorf("watched: %v in %v", v, w)
				}
				c := make(chan struct{}, 1)
				mu.Lock()
				defer mu.Unlock()
				waiting[c] = true
				return c, func() {
					mu.Lock()
					defer mu.Unlock()
					delete(waiting, c)
				}
			},
			Open: func(context.Context, Visitor, berth.AppRef, bool) (Door, error) {
				opened.Add(1)
				if ended.Load() {
					return Door{}, berth.Errorf(berth.NotFound, "unshared")
				}
				return door, nil
			}})
		defer p.Close()
		q := question{visitor: ana}
		for range 10 {
			if _, err := p.doors.ask(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		if n := opened.Load(); n != 2 {
			t.Errorf("opened %d times; the first answer is not remembered, the second is", n)
		}
		ctx, done := p.watch(t.Context(), q, door)
		synctest.Wait()
		ended.Store(true)
		mu.Lock()
		for c := range waiting {
			c <- struct{}{}
		}
		mu.Unlock()
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("what was open goes on")
		}
		if _, err := p.doors.ask(t.Context(), q); !errors.Is(err, berth.NotFound) {
			t.Errorf("let in by what was remembered: %v", err)
		}
		done()
		synctest.Wait()
		if len(waiting) != 0 {
			t.Errorf("%d still wait", len(waiting))
		}
	})
}

// An answer that was on its way while something changed is not remembered.
func TestAnswersFromBeforeTheChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		door := Door{Workspace: "w1", Agent: "a1", Status: berth.StatusRunning, Connected: true}
		rings := make(chan struct{}, 1)
		var during func()
		d := &doors{now: time.Now, known: map[question]*answer{},
			watch: func(Visitor, berth.WorkspaceID) (<-chan struct{}, func()) { return rings, func() {} },
			open: func(context.Context, Visitor, berth.AppRef, bool) (Door, error) {
				if during != nil {
					during()
				}
				return door, nil
			}}
		q := question{visitor: ana}
		d.ask(t.Context(), q)
		during = func() { rings <- struct{}{} }
		d.ask(t.Context(), q)
		during = func() { t.Log("asked again"); during = nil }
		d.ask(t.Context(), q)
		if during != nil {
			t.Error("an answer from before the change was remembered")
		}
	})
}
