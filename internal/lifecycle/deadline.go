package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// limit is when one rule stops a run.
type limit struct {
	at    time.Time // zero: never
	rule  Rule
	why   string        // "8 h after its start"
	moves time.Duration // each use moves it to that much later
}

// orLater is the later of two limits; never is the latest.
func (l limit) orLater(o limit) limit {
	if l.at.IsZero() || !o.at.IsZero() && !o.at.After(l.at) {
		return l
	}
	return o
}

// orSooner is the sooner of two limits.
func (l limit) orSooner(o limit) limit {
	if o.at.IsZero() || !l.at.IsZero() && !o.at.Before(l.at) {
		return l
	}
	return o
}

// Deadline is what will stop a workspace that runs at now, as things are: the
// sooner of its time to live and its auto-off, which holds and extensions move to
// later, and a required stop if that is sooner still, which nothing moves.
func Deadline(f Facts, now time.Time) StopPlan {
	if f.Run == nil || f.Run.Active() || f.Workspace.Prebuild {
		return StopPlan{}
	}
	t := termsOf(f)
	ttl := ttlLimit(f, t.stood).orLater(ttlLimit(f, t.now)).notBefore(t.ttlAt)
	off := offLimit(f, t.stood).orLater(offLimit(f, t.now)).notBefore(t.autoOffAt)
	required := requiredLimit(t.stood, t.from).orLater(requiredLimit(t.now, t.from)).notBefore(t.requiredAt)

	l := ttl.orSooner(off)
	if until, why := kept(f, now); !l.at.IsZero() && until.After(l.at) {
		l.at, l.why = until, "when "+why
	}
	plan := StopPlan{Never: required.at, Because: required.why}
	if l = required.orSooner(l); l.rule == RuleRequiredStop {
		l.moves = 0
	}
	plan.At, plan.Rule, plan.Why, plan.Moves = l.at, l.rule, l.why, l.moves
	return plan
}

// ttlLimit is the time to live: from the end of the start, and from the last use
// where use moves it. A stop past the next auto-start is counted from that, as
// if the workspace had been started by it.
func ttlLimit(f Facts, p berth.Policy) limit {
	if p.TTL <= 0 {
		return limit{}
	}
	begin, slots := f.Run.CompletedAt, slotsOf(f)
	l := limit{at: begin.Add(p.TTL), rule: RuleTTL, why: length(p.TTL) + " after its start", moves: p.Bump}
	if next := slots.Next(begin); !next.IsZero() && next.Before(l.at) {
		l.at, l.why = next.Add(p.TTL), length(p.TTL)+" after its next start by schedule, which it runs through"
	}
	use := seenUse(f)
	if p.Bump <= 0 || use.IsZero() {
		return l
	}
	if at := use.Add(p.Bump); at.After(l.at) {
		l.at, l.why = at, length(p.Bump)+" after its last use"
	}
	if slot := slots.Previous(use.Add(p.Bump)); slot.After(begin) && slot.Add(p.TTL).After(l.at) {
		l.at, l.why = slot.Add(p.TTL), length(p.TTL)+" after its next start by schedule, which it runs through"
	}
	return l
}

// offLimit is auto-off: from the last use, or the end of the start.
func offLimit(f Facts, p berth.Policy) limit {
	if p.AutoOff <= 0 {
		return limit{}
	}
	use := later(LastUse(f), f.Run.CompletedAt)
	return limit{at: use.Add(p.AutoOff), rule: RuleAutoOff, why: length(p.AutoOff) + " without use", moves: p.AutoOff}
}

// requiredLimit is the required stop of a run that began at from.
func requiredLimit(p berth.Policy, from time.Time) limit {
	at := requiredStop(p, from)
	if at.IsZero() {
		return limit{}
	}
	return limit{at: at, rule: RuleRequiredStop, why: requiredWhy(p)}
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
