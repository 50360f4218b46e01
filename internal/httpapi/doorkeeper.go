package httpapi

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/workspaces"
)

// lookAtAdmissions is how often it is looked whether what is open may still be,
// and admissionsTime how long one look may take. Together, with the few seconds
// of a goodbye, they stay under 30 s.
const (
	lookAtAdmissions = 15 * time.Second
	admissionsTime   = 10 * time.Second
)

// doorkeeper ends connections to workspaces that outlive their admission:
// byte streams and terminals, which may be open for days. It looks at all that
// are open at once, each admission a single time however many use it, and keeps
// nothing but what is open. At one admission it looks at once when it is told
// that something changed there. A database that does not answer ends nothing.
type doorkeeper struct {
	refused func(context.Context, []workspaces.Admission) (map[workspaces.Admission]error, error)
	// watches gives what is rung when an admission may have ended; nil: nothing is.
	watches func(workspaces.Admission) (rings <-chan struct{}, stop func())
	log     *slog.Logger
	every   time.Duration

	mu      sync.Mutex
	open    map[workspaces.Admission]*door
	looking bool // a goroutine does, as long as anything is open
}

// door is what is open by one admission.
type door struct {
	visits map[*visit]bool
	left   chan struct{} // closed behind the last visit
}

// visit is one open connection.
type visit struct{ end context.CancelCauseFunc }

// admit gives a context that ends, with a sentence as its cause, when a may not
// be any more. leave is called when the connection ends.
func (d *doorkeeper) admit(ctx context.Context, a workspaces.Admission) (_ context.Context, leave func()) {
	ctx, end := context.WithCancelCause(ctx)
	v := &visit{end}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[workspaces.Admission]*door{}
	}
	o := d.open[a]
	if o == nil {
		o = &door{visits: map[*visit]bool{}, left: make(chan struct{})}
		d.open[a] = o
		if d.watches != nil {
			go d.listen(a, o.left)
		}
	}
	o.visits[v] = true
	if !d.looking {
		d.looking = true
		go d.watch()
	}
	return ctx, func() {
		end(nil)
		d.mu.Lock()
		defer d.mu.Unlock()
		if !o.visits[v] {
			return
		}
		if delete(o.visits, v); len(o.visits) == 0 {
			delete(d.open, a)
			close(o.left)
		}
	}
}

// listen looks at one admission when it is rung for, and once at the beginning,
// since something may have changed between the first look and here.
func (d *doorkeeper) listen(a workspaces.Admission, left <-chan struct{}) {
	rings, stop := d.watches(a)
	defer stop()
	for {
		d.look([]workspaces.Admission{a})
		select {
		case <-rings:
		case <-left:
			return
		}
	}
}

// watch looks until nothing is open.
func (d *doorkeeper) watch() {
	for {
		time.Sleep(d.every)
		d.mu.Lock()
		all := slices.Collect(maps.Keys(d.open))
		if len(all) == 0 {
			d.looking = false
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		d.look(all)
	}
}

func (d *doorkeeper) look(all []workspaces.Admission) {
	ctx, cancel := context.WithTimeout(context.Background(), admissionsTime)
	defer cancel()
	refused, err := d.refused(ctx, all)
	if err != nil {
		d.log.Debug("whether connections may stay open is not known", "error", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for a, why := range refused {
		o := d.open[a]
		if o == nil {
			continue
		}
		for v := range o.visits {
			v.end(why)
		}
		d.log.Info("connections ended", "user", a.User, "workspace", a.Workspace, "connections", len(o.visits), "reason", why)
	}
}

// admitted keeps an eye on a connection that the caller of ctx opens.
func (h *handlers) admitted(ctx context.Context, workspace string) (_ context.Context, leave func()) {
	r := requestOf(ctx)
	return h.doors.admit(context.WithoutCancel(ctx), workspaces.Admission{User: r.user.ID, Login: r.token.ID, Workspace: berth.WorkspaceID(workspace)})
}
