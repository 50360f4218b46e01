package simulations

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// habit is how often and for how long a person uses a workspace.
type habit struct {
	name      string
	share     float64 // of all workspaces
	visits    float64 // on a day
	weekends  bool
	hour      int // of the person's day
	from, to  time.Duration
	schedule  bool // starts by itself in the morning
	leaves    float64
	fades     time.Duration // after which nobody comes any more
	holds     float64       // of visits that end with a hold
	idleOpens float64       // of visits that leave a connection open
}

var habits = []habit{
	{name: "daily", share: 0.04, visits: 0.93, hour: 9, from: 5 * time.Hour, to: 9 * time.Hour, schedule: true, leaves: 0.3, idleOpens: 0.2},
	{name: "regular", share: 0.12, visits: 0.3, hour: 10, from: time.Hour, to: 6 * time.Hour, leaves: 0.3, idleOpens: 0.1},
	{name: "occasional", share: 0.34, visits: 0.06, weekends: true, hour: 13, from: 30 * time.Minute, to: 4 * time.Hour},
	{name: "fading", share: 0.30, visits: 0.25, weekends: true, hour: 11, from: time.Hour, to: 5 * time.Hour, fades: 40 * day},
	{name: "trainer", share: 0.10, visits: 0.1, weekends: true, hour: 16, from: time.Hour, to: 3 * time.Hour, holds: 0.7},
	{name: "planned", share: 0.05, visits: 0.02, weekends: true, hour: 8, from: time.Hour, to: 2 * time.Hour, schedule: true},
	{name: "server", share: 0.05, visits: 0.05, weekends: true, hour: 1, from: 10 * time.Minute, to: time.Hour},
}

// space is a workspace and what the test knows of it.
type space struct {
	id       berth.WorkspaceID
	name     string
	owner    *person
	template *template
	place    *place
	habit    habit
	schedule *weekly
	ttl      time.Duration
	autoOff  *time.Duration
	updates  berth.Updates

	made     time.Time
	gone     bool
	newest   *run      // that was seen taken
	wanted   time.Time // when a person last asked for something
	up       *run      // the start that may have left something running; nil: nothing runs
	policy   berth.TemplatePolicy
	orgThen  berth.Organization // as up ended
	put      time.Time          // when one of the two was put on it since
	uses     []span             // of it, the newest last
	open     bool               // an idle connection is open
	holds    []span
	extended time.Time
	away     []span // nobody can ask its agent
	asleep   time.Time
	stubborn time.Time // its stops fail until then
	failures int       // of starts by its schedule, in a row
	tried    time.Time // the first of them
}

// run is a build as it was taken.
type run struct {
	berth.Build
	s      *space
	ends   time.Time
	failed bool
	ok     bool
	cancel bool
}

// weekly is a schedule, and its meaning by the test's own arithmetic.
type weekly struct {
	hour, minute int
	days         berth.Weekdays
	zone         *time.Location
}

func (w weekly) String() string {
	days := ""
	for d := range time.Weekday(7) {
		if w.days.Has(d) {
			days += fmt.Sprintf(",%d", d)
		}
	}
	return fmt.Sprintf("CRON_TZ=%s %d %d * * %s", w.zone, w.minute, w.hour, days[1:])
}

// slots are the times of the schedule in a span.
func (w weekly) slots(in span) (all []time.Time) {
	first := in.from.In(w.zone)
	for i := -1; ; i++ {
		at := time.Date(first.Year(), first.Month(), first.Day()+i, w.hour, w.minute, 0, 0, w.zone)
		if !at.Before(in.to) {
			return all
		}
		if in.has(at) && w.days.Has(at.Weekday()) {
			all = append(all, at)
		}
	}
}

func (y *year) newSpace(i int) {
	h, pick := habits[0], y.rng.Float64()
	for _, h = range habits {
		if pick -= h.share; pick < 0 {
			break
		}
	}
	s := &space{name: fmt.Sprintf("w%d", i), owner: y.people[y.rng.IntN(len(y.people))], template: y.templates[y.rng.IntN(len(y.templates))], habit: h,
		place: y.places[0], updates: berth.UpdatesNever}
	if s.template.org.Name == "busy" {
		s.place = y.places[1]
	}
	if h.schedule {
		s.schedule = &weekly{hour: h.hour, minute: 5 * y.rng.IntN(4), days: 0b111110, zone: s.owner.zone}
		if y.chance(0.2) { // where the clocks change
			s.schedule.hour, s.schedule.days = 2, berth.EveryDay
		}
	}
	switch {
	case h.name == "server":
		s.autoOff = new(time.Duration)
	case y.chance(0.3):
		s.ttl = time.Duration(2+y.rng.IntN(20)) * time.Hour
	default:
		s.ttl = s.template.Policy.DefaultTTL
	}
	if y.chance(0.3) {
		s.updates = berth.UpdatesAlways
	}
	if y.chance(0.2) {
		length := time.Duration(1+y.rng.IntN(8)) * time.Hour
		s.autoOff = &length
	}
	y.agenda.add(y.begin.Add(y.between(time.Minute, 3*day)), func() { y.makeSpace(s) })
}

// makeSpace has its owner make the workspace.
func (y *year) makeSpace(s *space) {
	if s.owner.away(time.Now()) {
		y.agenda.add(time.Now().Add(15*day), func() { y.makeSpace(s) })
		return
	}
	v, err := y.workspaces.Create(y.t.Context(), s.owner.actor, workspaces.Create{Name: s.name, Organization: string(s.template.org.ID),
		Template: s.template.Name, Provider: s.place.Name, Reason: berth.ReasonCLI})
	y.must(err)
	s.id, s.made, s.wanted = v.Workspace.ID, time.Now(), time.Now()
	y.byID[s.id] = s
	y.spaces = append(y.spaces, s)
	y.settings(s, func(l *berth.Lifecycle) {
		l.TTL, l.AutoOff, l.AutomaticUpdates = s.ttl, s.autoOff, s.updates
		if s.schedule != nil {
			l.Autostart = s.schedule.String()
		}
	})
	y.look, y.wants = true, true
	y.troubled(s)
	y.planVisit(s, s.made.Add(2*time.Hour))
	y.use(s, s.made.Add(y.between(2*time.Hour, 4*time.Hour)))
}

// settings changes what is kept of a workspace for its rules.
func (y *year) settings(s *space, change func(l *berth.Lifecycle)) {
	y.write(func(tx *store.Tx) error {
		w, err := tx.Workspace(s.id)
		if err != nil {
			return err
		}
		l := w.Lifecycle
		l.NextLook = time.Time{}
		change(&l)
		return tx.SetLifecycle(s.id, l)
	})
	y.look = true
}

// running is since when it runs; zero if it does not.
func (s *space) running() time.Time {
	if s.up == nil {
		return time.Time{}
	}
	return s.up.CompletedAt
}

// used is when it was last used, up to a time; zero if never.
func (s *space) used(at time.Time) time.Time {
	for i := len(s.uses) - 1; i >= 0; i-- {
		if u := s.uses[i]; !u.from.After(at) {
			if u.to.Before(at) {
				return u.to
			}
			return at
		}
	}
	return time.Time{}
}

// held is until when a hold lasts that lasts at a time.
func (s *space) held(at time.Time) (until time.Time) {
	for _, h := range s.holds {
		if h.has(at) {
			until = later(until, h.to)
		}
	}
	return until
}

// unreachable tells since when nobody can ask its agent.
func (s *space) unreachable(at time.Time) (since time.Time, yes bool) {
	for _, a := range s.away {
		if a.has(at) {
			return a.from, true
		}
	}
	return since, false
}

func (p *person) away(at time.Time) bool {
	for _, spans := range [][]span{p.suspended, p.holidays} {
		for _, s := range spans {
			if s.has(at) {
				return true
			}
		}
	}
	return false
}

func (p *person) isSuspended(at time.Time) bool {
	for _, s := range p.suspended {
		if s.has(at) {
			return true
		}
	}
	return false
}
