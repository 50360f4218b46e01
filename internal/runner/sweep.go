package runner

import (
	"context"
	"syscall"
	"time"
)

// endLeftovers ends what a dead keeper left running, and comes back when
// nothing is left. Terraform itself is interrupted, if it has not been before
// (a second interrupt makes it give up its state), and gets up to grace to
// finish its running change and save its state. Plugins and scripts without a
// Terraform do nothing of worth and are killed. It gives the number of
// processes killed.
func endLeftovers(ctx context.Context, name, engine string, keeper identity, grace time.Duration, interrupt bool) int {
	for deadline := time.Now().Add(grace); ctx.Err() == nil && time.Now().Before(deadline); {
		waits := false
		for _, p := range leftovers(name, keeper) {
			if !p.isEngine(engine) && !p.isJournal() {
				continue
			}
			waits = true
			if interrupt && p.isEngine(engine) {
				p.signal(syscall.SIGINT)
			}
		}
		interrupt = false
		if !waits {
			break
		}
		pause(ctx, 50*time.Millisecond)
	}
	return killLeftovers(ctx, name, keeper)
}

// killLeftovers kills until nothing is left: a process may have been forked
// between a look and a kill.
func killLeftovers(ctx context.Context, name string, keeper identity) int {
	killed := map[int]bool{}
	for tries := 0; tries < 200 && ctx.Err() == nil; tries++ {
		left := leftovers(name, keeper)
		if len(left) == 0 {
			break
		}
		for _, p := range left {
			killed[p.pid] = true
			p.signal(syscall.SIGKILL)
		}
		pause(ctx, 10*time.Millisecond)
	}
	return len(killed)
}

// pause sleeps for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
