package apps

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

const (
	// cacheFor is how long an answer about somebody's access counts.
	cacheFor = 10 * time.Second
	// cutWithin bounds how long something stays open whose opener lost access.
	cutWithin = 30 * time.Second
	lookEvery = cutWithin - cacheFor - 5*time.Second
	maxCached = 10_000
)

// Visitor is who opens an app: a user by one of their logins; the zero Visitor
// is nobody.
type Visitor struct {
	User  berth.UserID
	Login berth.TokenID
}

// Door is what an AppRef leads to.
type Door struct {
	Workspace     berth.WorkspaceID
	WorkspaceName string // owner/name
	Status        berth.Status
	Reason        string // why it has this status, where there is more to say
	MayStart      bool
	Agent         berth.AgentID // empty while the workspace has none
	Connected     bool
	Title         string
	Upstream      *url.URL // nil for what is not proxied
	External      string   // URL of an external app
	Command       string   // of a command app
	Level         berth.Share
	Health        string // of the app; empty: it has no health check
}

// Open says what ref leads to, if the visitor may open it. onPath is set when it
// is asked for on the origin of path apps, which is the owner's alone. Its
// errors: unauthenticated when the visitor has to sign in (again), forbidden
// and not_found otherwise.
type Open func(ctx context.Context, v Visitor, ref berth.AppRef, onPath bool) (Door, error)

// doors remembers for a moment what was opened to whom.
type doors struct {
	open  Open
	watch Watch
	now   func() time.Time

	mu    sync.Mutex
	known map[question]*answer
}

type question struct {
	visitor Visitor
	ref     berth.AppRef
	onPath  bool
}

// answer is what was opened to a visitor, and what tells that it may be another
// answer now.
type answer struct {
	door  Door
	at    time.Time // zero: it does not count
	rings <-chan struct{}
	stop  func()
	turn  int // how often it was rung for
}

// hear makes an answer that was rung for count no more.
func (a *answer) hear() {
	select {
	case <-a.rings:
		a.turn++
		a.at = time.Time{}
	default:
	}
}

func (a *answer) fresh(now time.Time) bool {
	age := now.Sub(a.at)
	return age >= 0 && age < cacheFor
}

// Watch gives what is rung when it may have changed whether a visitor may enter
// a workspace, and what ends the watching.
type Watch func(v Visitor, workspace berth.WorkspaceID) (rings <-chan struct{}, stop func())

// ask opens a door, from memory where that is fresh and nothing was rung for
// since. Refusals are not kept. The first answer is not kept either: what it is
// to be rung for is known only with it, and may have happened already.
func (d *doors) ask(ctx context.Context, q question) (Door, error) {
	now := d.now()
	d.mu.Lock()
	before, turn := d.known[q], 0
	if before != nil {
		before.hear()
		if before.fresh(now) {
			defer d.mu.Unlock()
			return before.door, nil
		}
		turn = before.turn
	}
	d.mu.Unlock()
	door, err := d.open(ctx, q.visitor, q.ref, q.onPath)
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.known[q]
	switch {
	case err != nil || door.Status != berth.StatusRunning || !door.Connected: // what is about to change is asked for each time
		d.drop(q)
	case known == nil || known.door.Workspace != door.Workspace:
		if len(d.known) >= maxCached {
			for q := range d.known {
				d.drop(q)
			}
		}
		d.drop(q)
		rings, stop := d.watch(q.visitor, door.Workspace)
		d.known[q] = &answer{door: door, rings: rings, stop: stop}
	default:
		if known.hear(); known == before && known.turn == turn {
			known.door, known.at = door, now
		}
	}
	return door, err
}

// forget makes the next ask of q open the door anew.
func (d *doors) forget(q question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(q)
}

// drop is forget under the lock.
func (d *doors) drop(q question) {
	if known, ok := d.known[q]; ok {
		known.stop()
		delete(d.known, q)
	}
}
