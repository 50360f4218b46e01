package audit

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

const (
	// linger is how long a connection may be away and still be the same one:
	// streams resume, and a browser opens and closes many to one port.
	linger = time.Minute
	// writtenEvery is how long a row may wait for others to be written with it.
	writtenEvery = 200 * time.Millisecond
	// maxWaiting bounds what is held while the database does not answer.
	maxWaiting = 10_000
	// writeTime bounds one try to write, and the last one when a server stops.
	writeTime = 10 * time.Second
)

// Connection is that somebody reaches into a workspace.
type Connection struct {
	Actor     berth.UserID
	Workspace berth.WorkspaceID
	Agent     string // name
	Through   string // ssh, terminal, port 8080, …
	// Stream is what tells this connection from others of its kind; those that
	// have none, such as streams to one port, count as one.
	Stream string
}

// Connections writes a row when somebody connects, and one with the time it took
// when they have gone. Nobody waits for the rows: what could not be written keeps
// nobody out of their workspace.
type Connections struct {
	s *Service

	mu      sync.Mutex
	open    map[key]*line
	rows    []written
	lost    int
	writing bool
	closed  bool
	idle    chan struct{} // closed when nothing is being written
}

// key is what one line is told apart by: the token too, since who connects by a
// stolen one is somebody else.
type key struct {
	Connection
	Token berth.TokenID
}

// line is one connection with all that carry it.
type line struct {
	id     berth.ID[berth.Audit]
	origin berth.AuditOrigin
	begun  time.Time
	ended  time.Time // when the last carrier ended
	open   int
	reason string
	timer  *time.Timer
}

// written is a row that waits, with what it is about.
type written struct {
	store.Audit
	workspace berth.WorkspaceID
}

func (c *Connections) init(s *Service) { c.s, c.open = s, map[key]*line{} }

// Open notes that a connection is open. The caller says when and, if it did not
// end by itself, why it ended.
func (c *Connections) Open(ctx context.Context, n Connection) (end func(why string)) {
	origin := store.OriginOf(ctx)
	k := key{n, origin.TokenID}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.open[k]
	if l == nil {
		l = &line{id: berth.NewID[berth.Audit](), origin: origin, begun: time.Now()}
		c.open[k] = l
		c.add(k, l, store.Audit{ID: l.id, Action: "connect", Detail: map[string]any{}})
	}
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.open++
	var once sync.Once
	return func(why string) { once.Do(func() { c.leave(k, l, why) }) }
}

// Note notes a connection that has no end that the server sees: a browser keeps
// what opens an app.
func (c *Connections) Note(ctx context.Context, n Connection) {
	origin := store.OriginOf(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key{n, origin.TokenID}, &line{origin: origin}, store.Audit{Action: "connect", Detail: map[string]any{}})
}

// leave notes that one carrier of a connection ended.
func (c *Connections) leave(k key, l *line, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.open--; l.open > 0 || c.open[k] != l {
		return
	}
	l.ended, l.reason = time.Now(), why
	if c.closed {
		c.gone(k, l)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open[k] == l && l.timer == timer {
			c.gone(k, l)
		}
	})
	l.timer = timer
}

// gone writes the end of a connection.
func (c *Connections) gone(k key, l *line) {
	delete(c.open, k)
	detail := map[string]any{"connection": l.id, "from": l.begun.UTC(), "until": l.ended.UTC(), "seconds": int64(l.ended.Sub(l.begun).Seconds())}
	c.add(k, l, store.Audit{Action: "disconnect", Reason: l.reason, Detail: detail})
}

// add has a row written soon.
func (c *Connections) add(k key, l *line, a store.Audit) {
	a.Class, a.Kind, a.ActorID, a.TargetID, a.AuditOrigin = berth.AuditConnection, "workspace", k.Actor, string(k.Workspace), l.origin
	if a.Detail["through"] = k.Through; k.Agent != "" {
		a.Detail["agent"] = k.Agent
	}
	if len(c.rows) >= maxWaiting {
		c.lost++
		return
	}
	c.rows = append(c.rows, written{a, k.Workspace})
	if !c.writing {
		c.writing, c.idle = true, make(chan struct{})
		go c.write()
	}
}

// write writes what waits, until nothing does.
func (c *Connections) write() {
	for {
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if !closed {
			time.Sleep(writtenEvery)
		}
		c.mu.Lock()
		rows, lost := c.rows, c.lost
		if len(rows) == 0 {
			c.writing = false
			close(c.idle)
			c.mu.Unlock()
			return
		}
		c.rows, c.lost = nil, 0
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), writeTime)
		err := c.s.db.Guarded(ctx, func(tx *store.Tx) error { return insert(tx, rows) })
		cancel()
		if lost > 0 {
			c.s.opt.Log.Error("connections were not recorded: the database did not take them in time", "rows", lost)
		}
		if err == nil {
			continue
		}
		c.s.opt.Log.Warn("connections are not recorded yet", "rows", len(rows), "error", err)
		c.mu.Lock()
		if c.closed {
			c.s.opt.Log.Error("connections were not recorded: the server stops", "rows", len(rows), "error", err)
		} else {
			c.rows = append(rows, c.rows...)
		}
		c.mu.Unlock()
		time.Sleep(writtenEvery * 10)
	}
}

// insert adds rows, each with the workspace's organization and name.
func insert(tx *store.Tx, rows []written) error {
	for _, r := range rows {
		a := r.Audit
		w, err := tx.WorkspaceRow(r.workspace)
		if err != nil && berth.ErrorCode(err) != berth.NotFound {
			return err
		}
		if err == nil {
			a.OrganizationID, a.TargetName = w.OrganizationID, w.Owner.Username+"/"+w.Name
		}
		a.Detail = maps.Clone(a.Detail)
		if err := tx.InsertAudit(a); err != nil {
			return err
		}
	}
	return nil
}

// Close writes the ends of what is open, when a server stops, and waits for
// what is not written yet.
func (c *Connections) Close() {
	c.mu.Lock()
	c.closed = true
	for _, k := range slices.Collect(maps.Keys(c.open)) {
		l := c.open[k]
		if l.open > 0 {
			l.ended, l.reason = time.Now(), "The server stopped."
		}
		c.gone(k, l)
	}
	idle := c.idle
	c.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
