package activity

import (
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/shell"
)

const (
	// trickle is how many bytes a minute move through an editor's connection
	// or a forwarded port that nobody uses: programs ask each other whether they
	// are there. From here on it is use. A stream's first bytes are: somebody
	// opened it.
	trickle       = 2 << 10
	trickleWindow = time.Minute
	// noteEvery bounds how often one stream is noted.
	noteEvery = time.Second
)

// use is one stream that people type into or look at. It is a shell.Use.
type use struct {
	activity *Collector
	kind     berth.EvidenceKind
	detail   string
	trickles bool // a little is nobody

	mu     sync.Mutex
	noted  time.Time
	window time.Time // in which bytes are counted
	bytes  int
}

// Open is called when a stream of an SSH connection opens.
func (a *Collector) Open(o shell.Opened) shell.Use {
	switch {
	case o.Client != "":
		return a.begin(berth.EvidenceIDE, o.Client)
	case o.Kind == shell.KindForward:
		return a.begin(berth.EvidenceForward, "")
	case o.Kind == shell.KindSFTP:
		return a.begin(berth.EvidenceSSH, "file transfer")
	}
	return a.begin(berth.EvidenceSSH, "")
}

// begin is Open for any kind of stream.
func (a *Collector) begin(kind berth.EvidenceKind, detail string) *use {
	return &use{activity: a, kind: kind, detail: detail, trickles: kind == berth.EvidenceIDE || kind == berth.EvidenceForward}
}

// In says that bytes came from the person.
func (u *use) In(n int) { u.moved(n) }

// Out says that bytes went to the person.
func (u *use) Out(n int) { u.moved(n) }

// Close says that the stream ended.
func (u *use) Close() {}

func (u *use) moved(n int) {
	if n <= 0 {
		return
	}
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.window) >= trickleWindow {
		u.window, u.bytes = now, 0
	}
	u.bytes = min(u.bytes, trickle) + min(n, trickle)
	if u.trickles && u.bytes < trickle && !u.noted.IsZero() {
		return
	}
	if u.noted.IsZero() || now.Sub(u.noted) >= noteEvery {
		u.noted = now
		u.activity.Note(u.kind, u.detail, now)
	}
}
