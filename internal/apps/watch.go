package apps

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
)

// errCut ends what is open when its opener lost access.
var errCut = errors.New("access to the app has ended")

// errClosing ends what is open when the server stops.
var errClosing = errors.New("the server stops")

// watch asks again and again whether the visitor may still come in, as long as
// the request lasts, and at once when that may have changed. It ends its context
// when they may not. done stops it.
func (p *Proxy) watch(ctx context.Context, q question, door Door) (_ context.Context, done func()) {
	ctx, cut := context.WithCancelCause(ctx)
	rings, stop := p.o.Watch(q.visitor, door.Workspace)
	closing := context.AfterFunc(p.life, func() { cut(errClosing) })
	go func() {
		ticks := time.NewTicker(lookEvery)
		defer ticks.Stop()
		for {
			select {
			case <-rings:
				p.doors.forget(q) // it may not have heard yet
			case <-ticks.C:
			case <-ctx.Done():
				return
			}
			if p.ended(ctx, q, door) {
				cut(errCut)
			}
		}
	}()
	return ctx, func() {
		closing()
		stop()
		cut(nil)
	}
}

// ended tells whether the visitor may not come in any more, or to something
// else. That the database is away for a moment ends nothing.
func (p *Proxy) ended(ctx context.Context, q question, door Door) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	now, err := p.doors.ask(ctx, q)
	if err != nil {
		return ctx.Err() == nil && berth.ErrorCode(err) != berth.Internal && berth.ErrorCode(err) != berth.Unavailable
	}
	return now.Workspace != door.Workspace || now.Agent != door.Agent || now.Status != berth.StatusRunning
}

// noteEvery is how often the bytes of one websocket are noted at most.
const noteEvery = 30 * time.Second

// noting notes when something moves on an upgraded connection: that it is open
// says nothing.
func (p *Proxy) noting(body io.ReadCloser, door Door, ref berth.AppRef) io.ReadCloser {
	both, ok := body.(io.ReadWriteCloser)
	if !ok {
		return body
	}
	return &noted{ReadWriteCloser: both, note: func() { p.o.Notes.Note(door.Workspace, berth.EvidenceApp, detail(ref)) }}
}

type noted struct {
	io.ReadWriteCloser
	note func()
	last atomic.Int64
}

func (n *noted) Read(b []byte) (int, error) {
	got, err := n.ReadWriteCloser.Read(b)
	n.moved(got)
	return got, err
}

func (n *noted) Write(b []byte) (int, error) {
	put, err := n.ReadWriteCloser.Write(b)
	n.moved(put)
	return put, err
}

func (n *noted) moved(bytes int) {
	now, last := time.Now().UnixNano(), n.last.Load()
	if bytes > 0 && now-last >= int64(noteEvery) && n.last.CompareAndSwap(last, now) {
		n.note()
	}
}
