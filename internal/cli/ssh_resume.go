package cli

import (
	"context"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/berthdev/berth/client"
)

// shortCut is how long a connection may be away without a word: a server that
// restarts is back by then.
const shortCut = time.Second

// resuming says how the stream of a session lives through lost connections: it
// is told on a terminal when one is away for longer than a moment.
func (a *app) resuming(t target, limit time.Duration) []client.StreamOption {
	opts := []client.StreamOption{client.ResumeFor(limit)}
	if !a.errTTY {
		return opts
	}
	var mu sync.Mutex
	var late *time.Timer
	told := false
	// The terminal may be in raw mode, so lines begin and end by themselves.
	say := func(text string) { a.tell("\r\nberth: %s\r", text) }
	lost := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		late = time.AfterFunc(shortCut, func() {
			mu.Lock()
			defer mu.Unlock()
			told = true
			say("the connection to " + t.String() + " was lost (" + clean(err.Error()) + "); it goes on where it was when the network is back")
		})
	}
	back := func() {
		mu.Lock()
		defer mu.Unlock()
		late.Stop()
		if told {
			told = false
			say("the connection to " + t.String() + " is back")
		}
	}
	return append(opts, client.OnCut(lost, back))
}

// untilHangUp ends ctx with the terminal, or with the OpenSSH that this is the
// ProxyCommand of. A connection that is not ended on purpose would wait in the
// workspace for somebody to resume it.
func untilHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
