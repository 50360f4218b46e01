package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

const (
	barWidth = 40 // characters for the whole time
	maxParts = 30 // parts of stages that are shown; the shortest are left out
)

// timings shows how long a build took: the newest one, or that of a number.
func (a *app) timings(ctx context.Context, c *client.Client, w api.Workspace, number int, asJSON bool) error {
	t, err := c.BuildTimings(ctx, w.ID, cmp.Or(number, w.Build.Number))
	if err != nil {
		return err
	}
	if asJSON {
		return a.json(t)
	}
	a.showTimings(w, t, time.Now())
	return nil
}

func (a *app) showTimings(w api.Workspace, t api.BuildTimings, now time.Time) {
	g := newGantt(t, now)
	a.say("build %d of %s/%s, %s, %s: %s", t.Number, w.Owner, w.Name, t.Transition, t.Status, g.summary())
	rows, left := g.rows(a)
	section(a, []string{"STAGE", "WHAT", "TOOK", ""}, rows, func(r []string) []string { return r })
	if left > 0 {
		a.tell("%d more parts, each shorter, are in --json.", left)
	}
	if g.critical {
		a.tell("%s: the end would have come sooner had this been shorter.", strings.Repeat(onPath, 3))
	}
}

// The two kinds of bars.
const (
	onPath  = "█"
	offPath = "░"
)

// gantt is a build's timings against the time that all of them took.
type gantt struct {
	list     []api.Span
	begin    time.Time
	total    time.Duration
	now      time.Time
	going    bool // some of it
	critical bool // the path is known
}

func newGantt(t api.BuildTimings, now time.Time) gantt {
	g := gantt{list: t.Timings, begin: t.CreatedAt, now: now}
	for _, x := range g.list {
		g.going = g.going || x.End == nil
		g.critical = g.critical || x.Critical
		g.total = max(g.total, g.end(x).Sub(g.begin))
	}
	return g
}

func (g gantt) end(t api.Span) time.Time {
	if t.End == nil {
		return g.now
	}
	return *t.End
}

// summary says how long it took, and where.
func (g gantt) summary() string {
	var wait time.Duration
	built := g.begin // when Terraform was through
	for _, t := range g.list {
		switch {
		case t.Stage == "wait":
			wait = g.end(t).Sub(t.Start)
			built = later(built, g.end(t))
		case t.Agent == "":
			built = later(built, g.end(t))
		}
	}
	var parts []string
	for _, p := range []struct {
		took  time.Duration
		where string
	}{{wait, "waiting"}, {built.Sub(g.begin) - wait, "building"}, {g.total - built.Sub(g.begin), "inside"}} {
		if p.took >= 10*time.Millisecond {
			parts = append(parts, lasted(p.took)+" "+p.where)
		}
	}
	total := lasted(g.total)
	if g.going {
		total += " so far"
	}
	if len(parts) < 2 {
		return total
	}
	return total + " (" + strings.Join(parts, ", ") + ")"
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// lasted is a length as people compare them.
func lasted(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
}

// rows are what is shown, and how many parts are not.
func (g gantt) rows(a *app) (rows [][]string, left int) {
	least := g.leastShown()
	agents := map[string]bool{}
	for _, t := range g.list {
		if t.Agent != "" {
			agents[t.Agent] = true
		}
	}
	for _, t := range g.list {
		if t.Resource != "" && !t.Critical && g.end(t).Sub(t.Start) < least {
			left++
			continue
		}
		stage, what := cell(t.Stage), cell(t.Action)
		if t.Resource != "" {
			stage, what = "", cell(t.Resource)
			if t.Agent == "" {
				what += " " + cell(t.Action)
			}
		} else if len(agents) > 1 {
			what = cell(t.Agent)
		}
		switch t.Status {
		case "failed", "timeout":
			what += " " + a.look.bad(cell(t.Status))
		case "warning":
			what += " " + a.look.warn(cell(t.Status))
		}
		took := lasted(g.end(t).Sub(t.Start))
		if t.End == nil {
			took += "…"
		}
		rows = append(rows, []string{stage, strings.TrimSpace(what), fmt.Sprintf("%8s", took), g.bar(t)})
	}
	return rows, left
}

// leastShown is how long a part off the path must be to be shown.
func (g gantt) leastShown() time.Duration {
	var parts []time.Duration
	for _, t := range g.list {
		if t.Resource != "" {
			parts = append(parts, g.end(t).Sub(t.Start))
		}
	}
	if len(parts) <= maxParts {
		return 0
	}
	slices.Sort(parts)
	return parts[len(parts)-maxParts]
}

// bar is where in the whole time t was.
func (g gantt) bar(t api.Span) string {
	if g.total <= 0 {
		return ""
	}
	at := func(m time.Time) int {
		return max(0, min(barWidth, int(float64(m.Sub(g.begin))/float64(g.total)*barWidth+0.5)))
	}
	from, to := at(t.Start), at(g.end(t))
	from = min(from, barWidth-1)
	sign := offPath
	if t.Critical {
		sign = onPath
	}
	return strings.Repeat(" ", from) + strings.Repeat(sign, max(1, to-from))
}
