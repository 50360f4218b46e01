package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// shortest time that a run is given before its context ends, so that a loop
// with a short period may still do slow work
const patience = time.Minute

// Serve runs all loops until ctx is done and returns when the last run ended.
func Serve(ctx context.Context, log *slog.Logger, loops ...*Loop) {
	var wg sync.WaitGroup
	for _, l := range loops {
		wg.Go(func() { l.serve(ctx, log.With("loop", l.Name)) })
	}
	wg.Wait()
}

func (l *Loop) serve(ctx context.Context, log *slog.Logger) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.wakes():
		}
		if ctx.Err() != nil {
			return
		}
		l.runOnce(ctx, log)
		timer.Reset(jitter(l.Every))
	}
}

// runOnce makes one run and keeps what came of it.
func (l *Loop) runOnce(ctx context.Context, log *slog.Logger) {
	started := time.Now()
	runCtx, cancel := context.WithTimeout(ctx, max(l.Every, patience))
	status, err := guarded(runCtx, l.Run)
	cancel()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // we are stopping; that is no failure of the loop
	}

	l.mu.Lock()
	before := l.report.Error
	l.report.LastRun, l.report.Took, l.report.Error = started, time.Since(started), ""
	if status.Did != "" {
		l.report.Did = status.Did
	}
	if err != nil {
		l.report.Error = err.Error()
	}
	after := l.report.Error
	l.mu.Unlock()

	// A failure that lasts is told once, not at every tick.
	switch {
	case after != "" && after != before:
		log.Error("loop failed", "error", after)
	case after == "" && before != "":
		log.Info("loop works again")
	}
	if status.Did != "" {
		log.Info("loop ran", "did", status.Did, "took", time.Since(started))
	}
}

// guarded turns a panic of run into an error: one broken loop must not take
// the server and the other loops with it.
func guarded(ctx context.Context, run func(context.Context) (Status, error)) (s Status, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(ctx)
}

// jitter keeps the replicas of a server, started together, from ticking
// together.
func jitter(every time.Duration) time.Duration {
	return time.Duration(float64(every) * (0.9 + 0.2*rand.Float64()))
}
