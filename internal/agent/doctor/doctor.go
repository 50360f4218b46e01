package doctor

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

const (
	// firstLook is how long the server may stay away before the agent looks why.
	firstLook = 3 * time.Second
	// A token that is not known yet is usual for as long as the build runs that
	// made the agent.
	firstLookToken = 20 * time.Second
	// Looks are this far apart: twice as far each time.
	nextLook = 15 * time.Second
	lastLook = 5 * time.Minute
	lookTime = 40 * time.Second // of one look
)

// Doctor looks why the agent cannot greet or link, and tells of it.
type Doctor struct {
	log   *slog.Logger
	tell  func(context.Context, api.AgentTrouble) error
	probe func(ctx context.Context, target *url.URL) facts

	mu      sync.Mutex
	since   time.Time // of the first failure in a row
	due     time.Time // of the next look
	wait    time.Duration
	looking bool
	said    string
	gone    context.CancelFunc // ends a look
}

// New makes a doctor that tells the server by tell, and log when that fails.
func New(log *slog.Logger, tell func(context.Context, api.AgentTrouble) error) *Doctor {
	return &Doctor{log: log, tell: tell, probe: prober{}.look}
}

// Ill says that greeting or linking to address failed with err. From time to
// time it looks why, beside the caller.
func (d *Doctor) Ill(ctx context.Context, s Stage, address string, err error) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since.IsZero() {
		d.since, d.wait = now, nextLook
		d.due = now.Add(firstLook)
		if berth.ErrorCode(err) == berth.Unauthenticated {
			d.due = now.Add(firstLookToken)
		}
	}
	if d.looking || now.Before(d.due) {
		return
	}
	target, bad := url.Parse(address)
	if bad != nil {
		return
	}
	d.due = now.Add(d.wait)
	d.wait = min(2*d.wait, lastLook)
	d.looking = true
	ctx, d.gone = context.WithTimeout(ctx, lookTime)
	go d.look(ctx, s, target, err)
}

// Well says that the agent is linked.
func (d *Doctor) Well() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone != nil {
		d.gone()
	}
	if d.said != "" {
		d.log.Info("the way to the server is clear again")
	}
	d.since, d.said = time.Time{}, ""
}

func (d *Doctor) look(ctx context.Context, s Stage, target *url.URL, err error) {
	f := d.probe(ctx, target)
	f.stage, f.err = s, err
	checks := f.checks()
	told := ctx.Err() == nil && d.tell(ctx, api.AgentTrouble{Checks: checks}) == nil
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone()
	d.looking, d.gone = false, nil
	why := failed(checks)
	if d.since.IsZero() || why == "" || why == d.said {
		return // linked meanwhile, nothing found, or nothing new
	}
	d.said = why
	d.log.Error("cannot link to Berth at "+target.Redacted()+": "+why, "server_knows", told)
}

// failed is the first check that failed, in one sentence; empty: none did.
func failed(checks []berth.Check) string {
	for _, c := range checks {
		if !c.OK {
			if c.Fix == "" {
				return c.Detail
			}
			return c.Detail + ": " + c.Fix
		}
	}
	return ""
}
