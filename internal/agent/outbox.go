package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// callTime bounds one call to the server.
const callTime = 30 * time.Second

// outbox tells the server the news of one thing, in order, however long the
// server is away: one report at a time, again until it is taken or refused for
// good. Whoever embeds one keeps the news; the outbox knows only how many there
// were and how many of them the server has.
type outbox struct {
	what   string // is told, as the agent's own log calls it
	log    *slog.Logger
	next   func() report // the report that follows; it is locked, and there is news
	gather time.Duration // how long more news is waited for; 0: not at all
	newer  bool          // there are servers that have no call for it

	sync.Mutex // for those who embed it, too
	news       int64
	told       int64         // of the news
	hurry      bool          // somebody waits for it to be empty
	wake       chan struct{} // has room for one
	empty      chan struct{} // closed while the server knows all
}

// report is one call to the server.
type report struct {
	upTo int64 // the number of the last news that it tells
	send func(context.Context) error
}

func newOutbox(log *slog.Logger, what string, next func() report) *outbox {
	o := &outbox{what: what, log: log, next: next, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(o.empty)
	return o
}

// note says that there is news and gives its number, from 1 on; it is locked.
func (o *outbox) note() (number int64) {
	if o.news == o.told {
		o.empty = make(chan struct{})
	}
	o.news++
	wake(o.wake)
	return o.news
}

// take is the report to send; without a call: none. It presses when somebody
// waits, or when there is more than goes into one report.
func (o *outbox) take() (r report, presses bool) {
	o.Lock()
	defer o.Unlock()
	if o.news == o.told {
		return report{}, o.hurry
	}
	r = o.next()
	return r, o.hurry || r.upTo < o.news
}

// run sends until ctx ends.
func (o *outbox) run(ctx context.Context) {
	tries := backoff{what: "telling the server " + o.what, log: o.log}
	for {
		r, presses := o.take()
		if r.send == nil {
			select {
			case <-o.wake:
			case <-ctx.Done():
				return
			}
			o.wait(ctx, presses)
			continue
		}
		err := withTimeout(ctx, r.send)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			tries.worked()
		case o.refuses(err):
			o.log.Warn("the server does not take "+o.what, "error", err)
		default:
			if !tries.failed(ctx, err) {
				return
			}
			continue
		}
		o.sent(r.upTo)
		o.wait(ctx, presses)
	}
}

// refuses tells whether sending the same again is of no use: it cannot be read,
// a newer process speaks for this agent, or an older server has no such call.
func (o *outbox) refuses(err error) bool {
	code := berth.ErrorCode(err)
	return code == berth.Invalid || code == berth.Conflict || o.newer && code == berth.NotFound
}

// wait waits a moment, since more news is likely to follow the first.
func (o *outbox) wait(ctx context.Context, presses bool) {
	if presses || o.gather == 0 {
		return
	}
	end := time.NewTimer(o.gather)
	defer end.Stop()
	for {
		select {
		case <-end.C:
			return
		case <-ctx.Done():
			return
		case <-o.wake:
			if _, presses := o.take(); presses {
				return
			}
		}
	}
}

func (o *outbox) sent(upTo int64) {
	o.Lock()
	defer o.Unlock()
	if o.told = upTo; o.told == o.news {
		close(o.empty)
	}
}

// flush waits until everything is sent; false when ctx ended first.
func (o *outbox) flush(ctx context.Context) bool {
	o.Lock()
	o.hurry = true
	empty := o.empty
	wake(o.wake)
	o.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func withTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}
