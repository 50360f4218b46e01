package runner

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// held is a build that this runner answers for, from its taking, or its being
// found on disk, to the moment when the server has all of it.
type held struct {
	r     *Runner
	rec   record
	class berth.Class
	order order
	fresh bool // taken just now: its keeper is still to be started

	line *line // to the keeper
	bell *bell // rung when something of the build may have changed

	quit      chan struct{} // closed: somebody wants it to end
	quitOnce  sync.Once
	force     chan struct{} // closed: at once
	forceOnce sync.Once
	lost      chan struct{} // closed: not ours any more
	lostOnce  sync.Once
	finishing atomic.Bool // the result is on its way; too late to disown

	ended    chan struct{} // closed: nothing will be written to the record any more
	stateMu  sync.Mutex
	sent     int64         // serial of the newest state that is with the server, plus one
	shipped  chan struct{} // closed: what was found on disk of a dead keeper is with the server
	shipOnce sync.Once
}

func newHeld(r *Runner, rec record, class berth.Class) *held {
	h := &held{
		r: r, rec: rec, class: class, bell: newBell(),
		quit: make(chan struct{}), force: make(chan struct{}), lost: make(chan struct{}),
		ended: make(chan struct{}), shipped: make(chan struct{}),
	}
	h.line = &line{rec: rec, ring: h.bell.Ring}
	return h
}

// run sees the build through. It is false when ctx was done before the end.
func (h *held) run(ctx context.Context) bool {
	ctx, release := context.WithCancel(ctx)
	defer release()
	beats, stopBeats := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.beat(beats) })
	defer wg.Wait()
	defer stopBeats()
	defer h.markShipped()

	var result api.Finish
	if failed := h.launch(ctx); failed != nil {
		result = *failed
	} else {
		h.markAlive()
		var over bool
		if result, over = h.follow(ctx); !over {
			return false
		}
	}
	if ctx.Err() != nil || !h.deliver(ctx, result) {
		return false
	}
	h.clear(ctx)
	return true
}

// follow ships what the keeper writes until the keeper's end, and gives the result.
func (h *held) follow(ctx context.Context) (result api.Finish, over bool) {
	ours := until(ctx, h.lost)      // no use in talking of a build that is not ours
	running := until(ours, h.ended) // the result says it all
	var wg sync.WaitGroup
	wg.Go(func() { h.keepLine(ctx) })
	wg.Go(func() { h.shipLog(ours) })
	wg.Go(func() { h.shipStates(running) })
	wg.Go(func() { h.askVerdicts(running) })
	result, over = h.await(ctx)
	close(h.ended)
	h.bell.Ring()
	wg.Wait()
	return result, over
}

// until is ctx that is done as well when end is closed. It wants end to be
// closed, or ctx to be done, at last.
func until(ctx context.Context, end <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-end:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx
}

// beat renews the lease until ctx is done, and passes on what the answers ask
// for. The server holds each answer back until it asks for something more, so
// that a cancel is heard at once.
func (h *held) beat(ctx context.Context) {
	failed := 0
	var knows api.BeatAnswer
	for ctx.Err() == nil {
		began, every := time.Now(), h.r.beatEvery()
		beat := api.Beat{RunnerID: h.r.id, Attempt: h.rec.attempt, Wait: int(every / time.Second), Knows: knows}
		var answer api.BeatAnswer
		err := within(ctx, callTime, func(ctx context.Context) (err error) {
			answer, err = h.r.o.Client.RunnerBeat(ctx, h.rec.build, beat)
			return err
		})
		if err != nil && ctx.Err() == nil {
			if berth.ErrorCode(err) == berth.Conflict {
				h.disown(errorText(err))
				return
			}
			if failed%20 == 0 {
				h.r.o.Log.Warn("renewing the lease of a build", "build", h.rec.name(), "error", err)
			}
			pause(ctx, min(backoff(failed), every))
			failed++
			continue
		}
		failed = 0
		if answer.Cancel || answer.Force {
			h.cancel(answer.Force)
		}
		if more := answer.Cancel && !knows.Cancel || answer.Force && !knows.Force; more {
			knows.Cancel, knows.Force = knows.Cancel || answer.Cancel, knows.Force || answer.Force
			continue // twice at most
		}
		pause(ctx, every-time.Since(began)) // an older server does not wait
	}
}

func (r *Runner) beatEvery() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beat
}

// cancel asks for the build's end: gracefully, or at once.
func (h *held) cancel(force bool) {
	h.quitOnce.Do(func() { close(h.quit) })
	if force {
		h.forceOnce.Do(func() { close(h.force) })
	}
	h.line.Tell(func(c *command) { c.Cancel, c.Force = true, c.Force || force })
	h.bell.Ring()
}

// disown ends a build that the server has given to somebody else or given up.
// Its state still goes to the server, which keeps it aside.
func (h *held) disown(why string) {
	if h.finishing.Load() {
		return
	}
	h.lostOnce.Do(func() {
		h.r.o.Log.Warn("ending a build that is not ours any more", "build", h.rec.name(), "because", why)
		close(h.lost)
		h.cancel(false)
	})
}

func (h *held) disowned() bool {
	select {
	case <-h.lost:
		return true
	default:
		return false
	}
}

func (h *held) markShipped() { h.shipOnce.Do(func() { close(h.shipped) }) }

// bell wakes any number of waiters.
type bell struct {
	mu sync.Mutex
	c  chan struct{}
}

func newBell() *bell { return &bell{c: make(chan struct{})} }

// C is closed by the next Ring. Take it before you look, or you miss one.
func (b *bell) C() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.c
}

func (b *bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.c)
	b.c = make(chan struct{})
}
