package apps

import (
	"context"
	"errors"
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
