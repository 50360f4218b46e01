package retry

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
			var o *Outbox
			o = NewOutbox(slog.New(slog.DiscardHandler), "numbers", func() Report {
				n := o.told + 1
				return Report{n, func(context.Context) error {
					if n == 2 && refusals < 3 {
						refusals++
						return berth.Errorf(tt.code, "no")
					}
					took = append(took, n)
					return nil
				}}
			})
			o.Newer = tt.newer
			ctx, cancel := context.WithCancel(t.Context())
			go o.Run(ctx)
			o.Lock()
			for range 3 {
				o.Note()
			}
			o.Unlock()
			within, stop := context.WithTimeout(ctx, time.Minute)
			defer stop()
			if !o.Flush(within) {
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
		q := NewOutbox(slog.New(slog.DiscardHandler), "nothing", func() Report {
			return Report{1, func(context.Context) error { return berth.Errorf(berth.Unavailable, "away") }}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go q.Run(ctx)
		q.Lock()
		q.Note()
		q.Unlock()
		began := time.Now()
		within, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		if q.Flush(within) || time.Since(began) != 5*time.Second {
			t.Errorf("gave up after %v", time.Since(began))
		}
	})
}
