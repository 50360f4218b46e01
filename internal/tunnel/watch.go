package tunnel

import (
	"context"
	"time"
)

const (
	// PingEvery is how long a connection may be silent before it is asked for
	// a sign of life.
	PingEvery = 10 * time.Second
	// pingWait is how long the answer may take. Together they stay below the
	// 30 s after which an agent counts as dead.
	pingWait = 15 * time.Second
)

// dialerWaits is how much longer than the relay a dialer is content with
// silence: where both live, only the relay asks, and the two never ask each
// other at once.
const dialerWaits = 2 * time.Second

// watch asks for a sign of life after the given silence, and gives the
// connection up when it lasts PingEvery and pingWait together. Someone must be
// reading.
func (w *wsConn) watch(after time.Duration) {
	w.hear()
	w.patience = after
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Reset(after) // not before look can see the timer
}

func (w *wsConn) unwatch() {
	w.unwatched.Store(true)
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *wsConn) hear() { w.heard.Store(time.Now().UnixNano()) }

// look asks for a sign of life after a silence, and gives up after a long one.
// While nobody waits in Read, because what was read has not found its way on
// yet, signs of life go unseen, so the silence counts from the last call.
func (w *wsConn) look() {
	if w.unwatched.Load() {
		return
	}
	waiting := w.waiting.Load()
	silence := time.Since(time.Unix(0, max(w.heard.Load(), waiting)))
	if waiting != 0 && silence >= PingEvery+pingWait {
		w.silent.Store(true)
		w.c.CloseNow()
		return
	}
	next := w.patience - silence
	if silence >= w.patience {
		next = pingWait / 3
		go w.ping()
	}
	w.timer.Reset(max(next, time.Second))
}

func (w *wsConn) ping() {
	ctx, cancel := context.WithTimeout(context.Background(), pingWait)
	defer cancel()
	w.c.Ping(ctx)
}
