package activity

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
)

const (
	// activityEvery is how often the server is told of activity at most.
	activityEvery = time.Minute
	// connectionEvery is how often it is told that a connection is still open.
	// It is below berth.SpellGap: to the server that is one spell.
	connectionEvery = 4 * time.Minute
	// fresh is what a spell must have grown by to be news.
	fresh = time.Second
)

// Collector collects evidence that this workspace is used: the newest spell of
// each kind. It counts with the clock that only goes forward and tells the
// server ages, so it does not matter what this computer believes the time to be.
type Collector struct {
	log  *slog.Logger
	send func(context.Context, api.AgentActivity) error
	news chan struct{} // has room for one

	mu     sync.Mutex
	spells map[berth.EvidenceKind]berth.Evidence
	told   map[berth.EvidenceKind]time.Time // what the server knows
	open   int                              // connections of people
}

// New makes a collector that tells the server by send.
func New(log *slog.Logger, send func(context.Context, api.AgentActivity) error) *Collector {
	return &Collector{log: log, send: send, news: make(chan struct{}, 1),
		spells: map[berth.EvidenceKind]berth.Evidence{}, told: map[berth.EvidenceKind]time.Time{}}
}

// Note says that something uses the workspace now, which is time.Now().
func (a *Collector) Note(kind berth.EvidenceKind, detail string, now time.Time) {
	a.NoteSince(kind, detail, now, now)
}

// NoteSince is Note for what has been going on since a moment.
func (a *Collector) NoteSince(kind berth.EvidenceKind, detail string, since, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.merge(berth.Evidence{Kind: kind, Detail: detail, Since: since, At: now})
	retry.Wake(a.news)
}

func (a *Collector) merge(seen berth.Evidence) {
	if known, ok := a.spells[seen.Kind]; ok {
		seen = known.Merge(seen)
	}
	a.spells[seen.Kind] = seen
}

// Connected says that somebody's connection is open, until they call the
// function that it returns. That alone is no activity.
func (a *Collector) Connected() (gone func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.linger()
	a.open++
	retry.Wake(a.news)
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.linger()
		a.open--
	})
}

// linger brings the evidence of open connections up to now.
func (a *Collector) linger() {
	now := time.Now()
	seen := berth.Evidence{Kind: berth.EvidenceConnection, Since: now, At: now}
	if known, ok := a.spells[seen.Kind]; ok && a.open > 0 {
		seen.Since = known.Since
	}
	seen.Detail = fmt.Sprintf("%d open", max(a.open, 1))
	a.merge(seen)
}

// seen is everything as it is told to the server.
func (a *Collector) seen(now time.Time) api.AgentActivity {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open > 0 {
		a.linger()
	}
	all := api.AgentActivity{Seen: []api.Seen{}}
	for _, kind := range berth.EvidenceKinds {
		if e, ok := a.spells[kind]; ok {
			all.Seen = append(all.Seen, api.Seen{Kind: kind, Detail: e.Detail,
				Began: max(now.Sub(e.Since), 0).Milliseconds(), Last: max(now.Sub(e.At), 0).Milliseconds()})
		}
	}
	return all
}

// isNews tells whether there is something that the server does not know.
func (a *Collector) isNews() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open > 0 {
		a.linger()
	}
	for kind, e := range a.spells {
		least := fresh
		if kind == berth.EvidenceConnection {
			least = connectionEvery
		}
		if told, ok := a.told[kind]; !ok || e.At.Sub(told) >= least {
			return true
		}
	}
	return false
}

// report tells the server everything.
func (a *Collector) report(ctx context.Context) error {
	now := time.Now()
	all := a.seen(now)
	if err := retry.Call(ctx, func(ctx context.Context) error { return a.send(ctx, all) }); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range all.Seen {
		a.told[s.Kind] = now.Add(-time.Duration(s.Last) * time.Millisecond)
	}
	return nil
}

// Again makes what is not long ago news again: a server that was killed may have
// forgotten what it was told in its last minute.
func (a *Collector) Again() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for kind, e := range a.spells {
		if time.Since(e.At) < 2*berth.SpellGap {
			delete(a.told, kind)
			retry.Wake(a.news)
		}
	}
}

// Run tells the server what is new: at once after a while in which there was
// nothing, and each minute at most. What a server that is away is not told, the
// next report says too.
func (a *Collector) Run(ctx context.Context) {
	tick := time.NewTicker(activityEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.news:
		case <-tick.C:
		}
		if !a.isNews() {
			continue
		}
		if err := a.report(ctx); err != nil && ctx.Err() == nil {
			a.log.Debug("the server was not told of activity", "error", err)
		}
		if !retry.Pause(ctx, activityEvery) {
			return
		}
	}
}

// Flush tells the server what it does not know yet.
func (a *Collector) Flush(ctx context.Context) {
	if a.isNews() {
		_ = a.report(ctx) // the agent ends: there is nobody to tell
	}
}

// Serve answers GET /activity on the link.
func (a *Collector) Serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a.seen(time.Now()))
}
