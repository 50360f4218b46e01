package agent

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
)

// What a server refuses for good does not hold up what follows; what it cannot
// take now does.
func TestOutboxDropsWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code  berth.Code
		newer bool
		drops bool
	}{
		{berth.Invalid, false, true}, {berth.Conflict, false, true}, {berth.NotFound, true, true},
		{berth.NotFound, false, false}, {berth.Unauthenticated, true, false}, {berth.Unavailable, true, false}, {berth.Internal, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var took []int64
			refusals := 0
			var o *outbox
			o = newOutbox(slog.New(slog.DiscardHandler), "numbers", func() report {
				n := o.told + 1
				return report{n, func(context.Context) error {
					if n == 2 && refusals < 3 {
						refusals++
						return berth.Errorf(tt.code, "no")
					}
					took = append(took, n)
					return nil
				}}
			})
			o.newer = tt.newer
			ctx, cancel := context.WithCancel(t.Context())
			go o.run(ctx)
			o.Lock()
			for range 3 {
				o.note()
			}
			o.Unlock()
			within, stop := context.WithTimeout(ctx, time.Minute)
			defer stop()
			if !o.flush(within) {
				t.Errorf("%s: not flushed", tt.code)
			}
			want := []int64{1, 2, 3}
			if tt.drops {
				want = []int64{1, 3}
			}
			if !slices.Equal(took, want) {
				t.Errorf("%s, newer %v: the server has %v", tt.code, tt.newer, took)
			}
			cancel()
			synctest.Wait()
		})
	}
}

// A flush gives up when the server stays away.
func TestFlushGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(berth.AgentSpec{})
		f.goAway(berth.Errorf(berth.Unavailable, "away"))
		q := newStateQueue(slog.New(slog.DiscardHandler), f.AgentLifecycle)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go q.run(ctx)
		q.set(berth.AgentReady)
		began := time.Now()
		within, stop := context.WithTimeout(ctx, flushTime)
		defer stop()
		if q.flush(within) || time.Since(began) != flushTime {
			t.Errorf("gave up after %v", time.Since(began))
		}
	})
}
