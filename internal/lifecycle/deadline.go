package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// limit is when one rule stops a run.
type limit struct {
	at    time.Time // zero: never
	rule  Rule
	why   func() string // "8 h after its start"; nil without at
	moves time.Duration // each use moves it to that much later
}

// orLater is the later of two limits of one rule; never is the latest. A use
// moves it if it moves one of the two.
func (l limit) orLater(o limit) limit {
	switch {
	case l.at.IsZero():
		return l
	case o.at.IsZero():
		return o
	case o.at.After(l.at):
		o.moves = max(o.moves, l.moves)
		return o
	}
	l.moves = max(o.moves, l.moves)
	return l
}

// orSooner is the sooner of two limits.
func (l limit) orSooner(o limit) limit {
	if o.at.IsZero() || !l.at.IsZero() && !o.at.Before(l.at) {
		return l
	}
	return o
}

// words is why, and "" for never.
func (l limit) words() string {
	if l.at.IsZero() {
		return ""
	}
	return l.why()
}

// plan is what will stop a run: the soonest limit, the soonest of those that use
// does not move, and the one that nothing moves.
type plan struct {
	limit
	sure, required limit
}

// Deadline is what will stop a workspace that runs at now, as things are: the
// sooner of its time to live and its auto-off, which holds and extensions move to
// later, and a required stop if that is sooner still, which nothing moves.
func Deadline(f Facts, now time.Time) StopPlan {
	p := planOf(f, now)
	return StopPlan{At: p.at, Rule: p.rule, Why: p.words(), Moves: p.moves, Never: p.required.at, Because: p.required.words()}
}

func planOf(f Facts, now time.Time) (p plan) {
	if f.Run == nil || f.Run.Active() || f.Workspace.Prebuild {
		return p
	}
	t, slots := termsOf(f), slotsOf(f)
	ttl := ttlLimit(f, slots, t.stood).orLater(ttlLimit(f, slots, t.now)).notBefore(t.putAt)
	off := offLimit(f, t.stood).orLater(offLimit(f, t.now)).notBefore(t.putAt)
	p.required = requiredLimit(t.stood, t.from)
	if !sameDays(t.stood, t.now) {
		p.required = p.required.orLater(requiredLimit(t.now, t.from))
	}
	p.required = p.required.notBefore(t.requiredAt)

	until, why := kept(f, now)
	ttl, off = ttl.keptUntil(until, why), off.keptUntil(until, why)
	p.limit = p.required.orSooner(ttl).orSooner(off)
	if p.sure = p.required; ttl.moves == 0 {
		p.sure = p.sure.orSooner(ttl)
	}
	return p
}

// keptUntil moves a limit to when what somebody asked for ends.
func (l limit) keptUntil(until time.Time, why func() string) limit {
	if !l.at.IsZero() && until.After(l.at) {
		l.at, l.why = until, func() string { return "when " + why() }
	}
	return l
}

// sameDays tells whether two policies require the same stops.
func sameDays(a, b berth.Policy) bool {
	return a.AutostopDays == b.AutostopDays && a.AutostopWeeks == b.AutostopWeeks && a.QuietHours == b.QuietHours
}

// ttlLimit is the time to live: from the end of the start, and from the last use
// where use moves it. A stop past the next auto-start is counted from that, as
// if the workspace had been started by it.
func ttlLimit(f Facts, slots berth.Schedule, p berth.Policy) limit {
	if p.TTL <= 0 {
		return limit{}
	}
	begin := f.Run.CompletedAt
	afterSlot := func() string { return length(p.TTL) + " after its next start by schedule, which it runs through" }
	l := limit{at: begin.Add(p.TTL), rule: RuleTTL, moves: p.Bump, why: func() string { return length(p.TTL) + " after its start" }}
	first := begin.Add(earliest) // what is sooner is the time that it was started for
	if next := slots.Next(first); !next.IsZero() && next.Before(l.at) {
		l.at, l.why = next.Add(p.TTL), afterSlot
	}
	use := useOfRun(f)
	if p.Bump <= 0 || use.IsZero() {
		return l
	}
	if at := use.Add(p.Bump); at.After(l.at) {
		l.at, l.why = at, func() string { return length(p.Bump) + " after its last use" }
	}
	if slot := slots.Previous(use.Add(p.Bump)); slot.After(first) && slot.Add(p.TTL).After(l.at) {
		l.at, l.why = slot.Add(p.TTL), afterSlot
	}
	return l
}

// offLimit is auto-off: from the last use, or the end of the start.
func offLimit(f Facts, p berth.Policy) limit {
	if p.AutoOff <= 0 {
		return limit{}
	}
	use := later(LastUse(f), f.Run.CompletedAt)
	return limit{at: use.Add(p.AutoOff), rule: RuleAutoOff, moves: p.AutoOff, why: func() string { return length(p.AutoOff) + " without use" }}
}

// requiredLimit is the required stop of a run that began at from.
func requiredLimit(p berth.Policy, from time.Time) limit {
	at := requiredStop(p, from)
	if at.IsZero() {
		return limit{}
	}
	return limit{at: at, rule: RuleRequiredStop, why: func() string { return requiredWhy(p) }}
}

// requiredLeeway is how long a workspace runs at least before a required stop.
const requiredLeeway = 2 * time.Hour

// requiredEve is how long before midnight quiet hours that begin count for the
// day that follows.
const requiredEve = 15 * time.Minute

// maxWeeks bounds of how many weeks one has a required stop.
const maxWeeks = 16

// requiredStop is the first time, two hours after from at least, at which quiet
// hours begin on a day on which a stop is required. Weeks are counted from the
// Monday 2 January 2023.
func requiredStop(p berth.Policy, from time.Time) time.Time {
	quiet, err := berth.ParseQuietHours("", p.QuietHours)
	if err != nil || p.AutostopDays&berth.EveryDay == 0 {
		return time.Time{}
	}
	weeks := min(max(p.AutostopWeeks, 1), maxWeeks)
	at := quiet.Next(from.Add(requiredLeeway - time.Nanosecond))
	for range 7*weeks + 7 {
		day := dateOf(at.In(quiet.Location())).Add(timeOfDay(at.In(quiet.Location())) + requiredEve)
		if p.AutostopDays.Has(day.Weekday()) && weekOf(day)%weeks == 0 {
			return at
		}
		if n := weekOf(day) % weeks; n != 0 { // on to the next week that counts
			at = at.AddDate(0, 0, 7*(weeks-n-1))
		}
		at = quiet.Next(at)
	}
	return time.Time{}
}

// dateOf is the date that the clocks show, at midnight in UTC, where each day has
// 24 hours.
func dateOf(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func timeOfDay(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// weekOf is how many weeks a day in UTC is after the one that begins on 2 January
// 2023, never less than 0.
func weekOf(day time.Time) int {
	const week = 7 * 24 * time.Hour
	n := int(day.Sub(time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC)) / week)
	return max(n, 0)
}
