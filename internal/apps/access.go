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
	open Open
	now  func() time.Time

	mu    sync.Mutex
	known map[question]answer
}

type question struct {
	visitor Visitor
	ref     berth.AppRef
	onPath  bool
}

type answer struct {
	door Door
	at   time.Time
}

// ask opens a door, from memory where that is fresh. Refusals are not kept.
func (d *doors) ask(ctx context.Context, q question) (Door, error) {
	now := d.now()
	d.mu.Lock()
	known, ok := d.known[q]
	d.mu.Unlock()
	if age := now.Sub(known.at); ok && age >= 0 && age < cacheFor {
		return known.door, nil
	}
	door, err := d.open(ctx, q.visitor, q.ref, q.onPath)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || door.Status != berth.StatusRunning || !door.Connected { // what is about to change is asked for each time
		delete(d.known, q)
		return door, err
	}
	if len(d.known) >= maxCached {
		clear(d.known)
	}
	d.known[q] = answer{door, now}
	return door, nil
}
