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

// watch gives the connection up when the peer is silent for longer than
// PingEvery and pingWait together. Someone must be reading.
func (w *wsConn) watch() {
	w.hear()
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Reset(PingEvery) // not before look can see the timer
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
	next := PingEvery - silence
	if silence >= PingEvery {
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
