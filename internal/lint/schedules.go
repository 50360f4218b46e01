package lint

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// checkSchedules looks at when pools have which size. With plans the plugin has.
func checkSchedules(t *template) {
	if t.plans != nil {
		return
	}
	t.each("data", "coder_workspace_preset", func(m *module, b *hcl.Block) {
		for _, pool := range nested(b.Body, "prebuilds") {
			for _, s := range nested(pool.Body, "scheduling") {
				t.scheduling(m, b, s)
			}
		}
	})
}

func (t *template) scheduling(m *module, b, scheduling *hcl.Block) {
	type entry struct {
		text string
		when hours
	}
	var before []entry
	for _, s := range nested(scheduling.Body, "schedule") {
		text := source.Literal(s.Body, "cron")
		if text == "" {
			continue
		}
		when, wrong := parseHours(text)
		if wrong != "" {
			t.add(berth.FindingError, "schedule", m, &s.DefRange, b, "", "the schedule %q cannot hold: %s. It says in which hours a pool has its size, such as \"* 8-18 * * 1-5\"", text, wrong)
			continue
		}
		for _, other := range before {
			if when.meets(other.when) {
				t.add(berth.FindingError, "schedule-overlap", m, &s.DefRange, b, "", "the schedules %q and %q hold at the same time, so it is open which size the pool has; let them not overlap", other.text, text)
			}
		}
		before = append(before, entry{text, when})
	}
}

// hours is when a schedule of a pool holds: it has no minutes.
type hours struct {
	hour, day, month, weekday uint64 // sets
	anyDay, anyWeekday        bool
}

// parseHours reads five fields of numbers, ranges and lists of them. wrong says
// what is wrong with them; empty: nothing.
func parseHours(text string) (h hours, wrong string) {
	f := strings.Fields(text)
	if len(f) != 5 {
		return h, "it has " + strconv.Itoa(len(f)) + " fields and not the five of a cron line"
	}
	if f[0] != "*" {
		return h, "its minute is " + f[0] + " and must be *"
	}
	for i, part := range []struct {
		into      *uint64
		name      string
		low, high int
	}{{&h.hour, "hour", 0, 23}, {&h.day, "day of the month", 1, 31}, {&h.month, "month", 1, 12}, {&h.weekday, "day of the week", 0, 6}} {
		set, ok := parseSet(f[i+1], part.low, part.high)
		if !ok {
			return h, "its " + part.name + " is " + f[i+1] + ", and must be *, numbers from " + strconv.Itoa(part.low) + " to " + strconv.Itoa(part.high) + ", or ranges of them"
		}
		*part.into = set
	}
	h.anyDay, h.anyWeekday = f[2] == "*", f[4] == "*"
	return h, ""
}

func parseSet(text string, low, high int) (set uint64, ok bool) {
	if text == "*" {
		text = strconv.Itoa(low) + "-" + strconv.Itoa(high)
	}
	for _, part := range strings.Split(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || a < low || b > high || a > b {
			return 0, false
		}
		for n := a; n <= b; n++ {
			set |= 1 << n
		}
	}
	return set, true
}

// meets tells whether there may be an hour in which both hold. Where both name
// days of the month and of the week, either is enough.
func (h hours) meets(o hours) bool {
	if h.month&o.month == 0 || h.hour&o.hour == 0 {
		return false
	}
	switch {
	case h.anyDay || o.anyDay:
		return h.weekday&o.weekday != 0
	case h.anyWeekday || o.anyWeekday:
		return h.day&o.day != 0
	default:
		return h.day&o.day != 0 || h.weekday&o.weekday != 0
	}
}
