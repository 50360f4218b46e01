package retry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// callTime bounds one call to the server.
const callTime = 30 * time.Second

// Outbox tells the server the news of one thing, in order, however long the
// server is away: one report at a time, again until it is taken or refused for
// good. Whoever embeds one keeps the news; the outbox knows only how many there
// were and how many of them the server has.
type Outbox struct {
	What   string // is told, as the agent's own log calls it
	Log    *slog.Logger
	Gather time.Duration // how long more news is waited for; 0: not at all
	Newer  bool          // there are servers that have no call for it

	next func() Report

	sync.Mutex // for those who embed it, too
	news       int64
	told       int64         // of the news
	hurry      bool          // somebody waits for it to be empty
	wake       chan struct{} // has room for one
	empty      chan struct{} // closed while the server knows all
}

// Report is one call to the server.
type Report struct {
	UpTo int64 // the number of the last news that it tells
	Send func(context.Context) error
}

// NewOutbox makes an outbox. next gives the report that follows; it is called
// with the outbox locked, while there is news.
func NewOutbox(log *slog.Logger, what string, next func() Report) *Outbox {
	o := &Outbox{What: what, Log: log, next: next, wake: make(chan struct{}, 1), empty: make(chan struct{})}
	close(o.empty)
	return o
}

// Note says that there is news and gives its number, from 1 on; it is locked.
func (o *Outbox) Note() (number int64) {
	if o.news == o.told {
		o.empty = make(chan struct{})
	}
	o.news++
	Wake(o.wake)
	return o.news
}

// News is how many news there were; it is locked.
func (o *Outbox) News() int64 { return o.news }

// Told is how many of them need no telling any more; it is locked.
func (o *Outbox) Told() int64 { return o.told }

// take is the report to Send; without a call: none. It presses when somebody
// waits, or when there is more than goes into one report.
func (o *Outbox) take() (r Report, presses bool) {
	o.Lock()
	defer o.Unlock()
	if o.news == o.told {
		return Report{}, o.hurry
	}
	r = o.next()
	return r, o.hurry || r.UpTo < o.news
}

// Run sends until ctx ends.
func (o *Outbox) Run(ctx context.Context) {
	tries := Backoff{What: "telling the server " + o.What, Log: o.Log}
	for {
		r, presses := o.take()
		if r.Send == nil {
			select {
			case <-o.wake:
			case <-ctx.Done():
				return
			}
			o.wait(ctx, presses)
			continue
		}
		err := Call(ctx, r.Send)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			tries.Worked()
		case o.refuses(err):
			o.Log.Warn("the server does not take "+o.What, "error", err)
		default:
			if !tries.Failed(ctx, err) {
				return
			}
			continue
		}
		o.sent(r.UpTo)
		o.wait(ctx, presses)
	}
}

// refuses tells whether sending the same again is of no use: it cannot be read,
// a newer process speaks for this agent, or an older server has no such call.
func (o *Outbox) refuses(err error) bool {
	code := berth.ErrorCode(err)
	return code == berth.Invalid || code == berth.Conflict || o.Newer && code == berth.NotFound
}

// wait waits a moment, since more news is likely to follow the first.
func (o *Outbox) wait(ctx context.Context, presses bool) {
	if presses || o.Gather == 0 {
		return
	}
	end := time.NewTimer(o.Gather)
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

func (o *Outbox) sent(UpTo int64) {
	o.Lock()
	defer o.Unlock()
	if o.told = UpTo; o.told == o.news {
		close(o.empty)
	}
}

// Flush waits until everything is sent; false when ctx ended first.
func (o *Outbox) Flush(ctx context.Context) bool {
	o.Lock()
	o.hurry = true
	empty := o.empty
	Wake(o.wake)
	o.Unlock()
	select {
	case <-empty:
		return true
	case <-ctx.Done():
		return false
	}
}

// Wake lets somebody go on who waits, or will, at c, which has room for one.
func Wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Call bounds one call to the server by 30 s.
func Call(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}
