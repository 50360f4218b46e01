package agent

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/retry"
	"github.com/berthdev/berth/internal/agent/usage"
)

// How an agent decides that memory or a volume is too full. It looks every 10 s
// and remembers the last 20 looks. It is too full when 10 of them were over the
// threshold, the newest included: 100 s at the least, and a moment of space does
// not begin the count anew. It is fine again when at most 3 were.
const (
	monitorEvery  = 10 * time.Second
	monitorWindow = 20
	monitorOver   = 10
	monitorFine   = 3
	// monitorRest is how long nothing changes after a change was reported, so
	// that something at its threshold does not call people all day.
	monitorRest = 5 * time.Minute
)

// monitor watches what the template wants to have watched.
type monitor struct {
	*retry.Outbox
	measure func(path string) (percent int, err error) // "": memory
	watched []*gauge
}

// gauge is one thing that is watched.
type gauge struct {
	berth.Threshold
	looks   []bool // over the threshold, the newest last
	percent int
	full    bool
	since   time.Time // it was first over, of the time that it is full
	changed time.Time
}

func (a *agent) newMonitor() *monitor {
	return monitoring(a.log, a.boot, a.server.AgentPressure, a.manifest.Load().Agent.Monitoring, measure(usage.New()))
}

func monitoring(log *slog.Logger, boot int64, send func(context.Context, api.AgentPressure) error, want *berth.Monitoring, measure func(string) (int, error)) *monitor {
	m := &monitor{measure: measure, watched: gauges(want)}
	m.Outbox = retry.NewOutbox(log, "what is too full", func() retry.Report {
		now := api.AgentPressure{Boot: boot, Pressure: m.pressure(time.Now())}
		return retry.Report{UpTo: m.News(), Send: func(ctx context.Context) error { return send(ctx, now) }}
	})
	m.Newer = true
	return m
}

// gauges are what a template wants to have watched.
func gauges(m *berth.Monitoring) (watched []*gauge) {
	if m == nil {
		return nil
	}
	if m.Memory != nil {
		watched = append(watched, &gauge{Threshold: berth.Threshold{Percent: m.Memory.Percent}})
	}
	for _, volume := range m.Volumes {
		watched = append(watched, &gauge{Threshold: volume})
	}
	return watched
}

func measure(reader usage.Reader) func(path string) (int, error) {
	return func(path string) (int, error) {
		if path == "" {
			memory, err := reader.Memory()
			return memory.Percent(), err
		}
		volume, err := usage.Volume(path)
		return volume.Percent(), err
	}
}

// run looks until ctx ends; at once where there is nothing to look at.
func (m *monitor) run(ctx context.Context) {
	if len(m.watched) == 0 {
		return
	}
	var telling sync.WaitGroup
	telling.Go(func() { m.Outbox.Run(ctx) })
	defer telling.Wait()
	for retry.Pause(ctx, monitorEvery) {
		m.look(time.Now())
	}
}

// look looks once at everything. What cannot be measured, a volume that is not
// there, is not too full.
func (m *monitor) look(now time.Time) {
	for _, g := range m.watched {
		percent, err := m.measure(g.Path)
		m.Lock()
		if g.look(percent, err == nil && percent >= g.Percent, now) {
			m.Note()
		}
		m.Unlock()
	}
}

// look counts one look and tells whether that changes something.
func (g *gauge) look(percent int, over bool, now time.Time) (changed bool) {
	g.percent = percent
	g.looks = append(g.looks, over)
	g.looks = g.looks[max(0, len(g.looks)-monitorWindow):]
	count := 0
	for _, o := range g.looks {
		if o {
			count++
		}
	}
	full := g.full
	switch {
	case !g.changed.IsZero() && now.Sub(g.changed) < monitorRest:
	case !g.full && over && count >= monitorOver:
		full, g.since = true, now.Add(-time.Duration(monitorWindow-slices.Index(g.padded(), true)-1)*monitorEvery)
	case g.full && count <= monitorFine:
		full = false
	}
	if full == g.full {
		return false
	}
	g.full, g.changed = full, now
	return true
}

// padded are the looks of a whole window.
func (g *gauge) padded() []bool {
	return append(make([]bool, monitorWindow-len(g.looks)), g.looks...)
}

// pressure is all that is too full.
func (m *monitor) pressure(now time.Time) []api.Pressed {
	full := []api.Pressed{}
	for _, g := range m.watched {
		if g.full {
			full = append(full, api.Pressed{Path: g.Path, Percent: g.percent, Limit: g.Percent, Began: now.Sub(g.since).Milliseconds()})
		}
	}
	slices.SortFunc(full, func(a, b api.Pressed) int { return cmp.Compare(a.Path, b.Path) })
	return full
}
