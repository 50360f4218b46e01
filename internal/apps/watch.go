package apps

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
)

// errCut ends what is open when its opener lost access.
var errCut = errors.New("access to the app has ended")

// errClosing ends what is open when the server stops.
var errClosing = errors.New("the server stops")

// watch asks again and again whether the visitor may still come in, as long as
// the request lasts, and ends its context when they may not. done stops it.
func (p *Proxy) watch(ctx context.Context, q question, door Door) (_ context.Context, done func()) {
	ctx, cut := context.WithCancelCause(ctx)
	var timer *time.Timer
	var mu sync.Mutex
	stopped := false
	look := func() {
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		now, err := p.doors.ask(asking, q)
		cancel()
		mu.Lock()
		defer mu.Unlock()
		switch {
		case stopped:
		case err != nil && berth.ErrorCode(err) != berth.Internal && berth.ErrorCode(err) != berth.Unavailable,
			err == nil && (now.Workspace != door.Workspace || now.Agent != door.Agent || now.Status != berth.StatusRunning):
			cut(errCut)
		default: // the database may be away for a moment; the next look finds out
			timer.Reset(lookEvery)
		}
	}
	mu.Lock()
	timer = time.AfterFunc(lookEvery, look)
	mu.Unlock()
	closing := context.AfterFunc(p.life, func() { cut(errClosing) })
	return ctx, func() {
		closing()
		mu.Lock()
		stopped = true
		mu.Unlock()
		timer.Stop()
		cut(nil)
	}
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
