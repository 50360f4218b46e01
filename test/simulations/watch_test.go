package simulations

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// What may never happen. It is told by what the test knows, with its own
// arithmetic; where that knows less than the rules, it lets pass.

// wrong reports what should not have happened.
func (y *year) wrong(s *space, format string, args ...any) {
	y.t.Helper()
	y.problems++
	if y.problems > 20 {
		y.t.Fatalf("and more; again with -year.seed=%d", *seed)
	}
	args = append([]any{time.Now().UTC().Format("2006-01-02 15:04:05 Mon"), s.name, s.habit.name, s.template.Name}, args...)
	y.t.Errorf("%s %s (%s, %s): "+format, args...)
}

// watch looks at a build that was taken.
func (y *year) watch(s *space, r *run) {
	c := r.CreatedAt
	if before := s.newest; before != nil && (before.CompletedAt.IsZero() || before.Number+1 != r.Number) {
		y.wrong(s, "build %d was made beside build %d", r.Number, before.Number)
	}
	rule, automatic := r.Reason.Automatic()
	if !automatic {
		return
	}
	y.count["automatic "+string(r.Reason)]++
	var w berth.Workspace
	var act berth.Act
	y.must(y.db.Read(y.t.Context(), func(q *store.Query) (err error) {
		if w, err = q.Workspace(s.id); err != nil {
			return err
		}
		acts, err := q.Acts(s.id, 5)
		for _, a := range acts {
			if a.BuildID == r.ID {
				act = a
			}
		}
		return err
	}))
	if act.ID == "" || act.Why == "" || len(act.Facts) == 0 || act.Did != string(r.Transition) || !act.At.Equal(c) {
		y.wrong(s, "build %d (%s, %s) has this record: %+v", r.Number, r.Reason, rule, act)
		return
	}
	y.count["by "+act.Rule]++
	if s.owner.isSuspended(c) && act.Rule != string(lifecycle.RuleSuspended) && !s.owner.isSuspended(c.Add(-time.Second)) {
		y.wrong(s, "%s of a suspended owner's workspace: %s", r.Transition, act.Why)
	}
	switch r.Transition {
	case berth.Start:
		y.watchStart(s, r, w)
	case berth.Stop:
		y.watchStop(s, r, lifecycle.Rule(act.Rule), act.Why)
	case berth.Delete:
		y.watchDelete(s, r, w)
	}
}

func (y *year) watchStart(s *space, r *run, w berth.Workspace) {
	c := r.CreatedAt
	p, o := s.template.edits.at(c), s.template.org.edits.at(c)
	switch {
	case r.Reason != berth.ReasonAutostart:
		y.wrong(s, "a start because of %s", r.Reason)
	case s.schedule == nil:
		y.wrong(s, "a start by schedule without one")
	case s.up != nil && (s.up.ok || s.up.Reason != berth.ReasonAutostart):
		y.wrong(s, "a start of what runs")
	case s.failures >= 5:
		y.wrong(s, "a start that failed %d times for one time of its schedule", s.failures)
	case w.Dormant() || !s.asleep.IsZero():
		y.wrong(s, "a start of what sleeps")
	case s.owner.isSuspended(c):
		y.wrong(s, "a start for a suspended owner")
	case !p.AllowUserAutostart:
		y.wrong(s, "a start where people may not have that")
	}
	if s.schedule == nil {
		return
	}
	var why string
	for _, slot := range s.schedule.slots(span{c.Add(-13 * time.Hour), c.Add(6 * time.Minute)}) {
		weekday := slot.Weekday()
		last := later(later(s.used(c), s.made), s.wanted)
		if s.newest != nil && s.newest.Transition == berth.Start {
			last = later(last, s.newest.CompletedAt)
		}
		switch {
		case !p.AutostartDays.Has(weekday) || !o.AutostartDays.Has(weekday):
			why = "on a day that is not allowed"
		case o.AutostartUsedWithin > 0 && s.habit.name != "planned" && slot.Sub(last) > o.AutostartUsedWithin+12*time.Hour:
			why = "of what nobody used since " + last.UTC().String()
		default:
			return
		}
	}
	y.wrong(s, "a start %s; the schedule is %s", why, s.schedule)
}

// ttlAt is when time to live ends under a policy; false: never.
func (s *space) ttlAt(p berth.TemplatePolicy, c time.Time) (time.Time, bool) {
	ttl := p.DefaultTTL
	if p.AllowUserAutostop {
		ttl = s.ttl
	}
	if ttl == 0 {
		return time.Time{}, false
	}
	at := s.running().Add(ttl)
	if u := s.used(c); p.ActivityBump > 0 && u.After(s.running()) {
		at = later(at, u.Add(p.ActivityBump))
	}
	return at, true
}

// offAt is when auto-off comes under settings; false: never.
func (s *space) offAt(o berth.Organization, c time.Time) (time.Time, bool) {
	off := o.AutoOff
	if o.AutoOffByUser && s.autoOff != nil {
		off = *s.autoOff
	}
	return later(s.used(c), s.running()).Add(off), off > 0
}

// bound is the later of what holds now and what held when it started, or was put
// on it since: then an hour later at least.
func (s *space) bound(now, then time.Time, isNow, wasThen bool) (time.Time, bool) {
	if now = later(now, then); !s.put.IsZero() {
		now = later(now, s.put.Add(time.Hour))
	}
	return now, isNow && wasThen
}

func (s *space) ttlBound(c time.Time) (time.Time, bool) {
	p := s.template.edits.at(c)
	now, is := s.ttlAt(p, c)
	then, was := s.ttlAt(s.policy, c)
	return s.bound(now, then, is, was)
}

func (s *space) offBound(c time.Time) (time.Time, bool) {
	o := s.template.org.edits.at(c)
	now, is := s.offAt(o, c)
	then, was := s.offAt(s.orgThen, c)
	return s.bound(now, then, is, was)
}

func (y *year) watchStop(s *space, r *run, rule lifecycle.Rule, why string) {
	c := r.CreatedAt
	if s.up == nil {
		y.wrong(s, "a stop of what does not run: %s", why)
		return
	}
	p := s.template.edits.at(c)
	lifted := later(s.extended, s.held(c))
	since, away := s.unreachable(c)
	unused := func(since time.Time, what string) {
		switch {
		case away && c.Sub(since) < site.UnknownGrace:
			y.wrong(s, "a stop by %s when nobody could be asked since %s: %s", what, since, why)
		case away:
			y.count["stopped without an answer"]++
		case c.Before(since):
			y.wrong(s, "a stop by %s before %s: %s", what, since, why)
		}
	}
	_ = since
	switch rule {
	case lifecycle.RuleSuspended:
		if !s.owner.isSuspended(c) {
			y.wrong(s, "a stop for a suspended owner who is not: %s", why)
		}
	case lifecycle.RuleTTL:
		at, ends := s.ttlBound(c)
		if at = later(at, lifted); !ends {
			y.wrong(s, "a stop by time to live that never ends: %s", why)
		} else if c.Before(at) && !y.excused(s, c, p.ActivityBump > 0) {
			y.wrong(s, "a stop by time to live before %s: %s", at.UTC(), why)
		}
	case lifecycle.RuleAutoOff:
		at, ends := s.offBound(c)
		if at = later(at, lifted); !ends {
			y.wrong(s, "a stop by auto-off that never comes: %s", why)
		} else if c.Before(at) && !y.excused(s, c, true) {
			y.wrong(s, "a stop by auto-off before %s: %s", at.UTC(), why)
		}
	case lifecycle.RuleRequiredStop:
		y.watchRequired(s, c, p, why)
	case lifecycle.RuleFailedStart:
		if s.up.ok || p.FailureTTL == 0 || c.Before(s.up.CompletedAt.Add(p.FailureTTL)) {
			y.wrong(s, "a stop of a failed start: %s", why)
		}
	case lifecycle.RuleFailedStop:
		if n := s.newest; n.Transition != berth.Stop || n.ok || c.Sub(n.CompletedAt) < time.Minute {
			y.wrong(s, "a stop is tried again: %s", why)
		}
	case lifecycle.RuleVersion:
		if p.Rollout == berth.RolloutNextStart || s.template.ActiveVersionID == s.up.VersionID {
			y.wrong(s, "a stop for a version: %s", why)
		}
		unused(later(s.used(c), s.running()).Add(15*time.Minute), "a new version")
		if lifted.After(c) {
			y.wrong(s, "a stop for a version of what is held until %s: %s", lifted.UTC(), why)
		}
	case lifecycle.RuleDormancy:
		if r.Reason != berth.ReasonDormancy || away || p.DormancyThreshold == 0 || c.Before(later(s.used(c), s.made).Add(p.DormancyThreshold)) || lifted.After(c) {
			y.wrong(s, "a stop by dormancy, used %s, away %v: %s", s.used(c).UTC(), away, why)
		}
		s.asleep = c
		y.count["asleep"]++
	default:
		y.wrong(s, "a stop by the rule %q: %s", rule, why)
	}
}

// excused tells whether a stop for want of use may be in error because nobody
// could be asked for as long as that is waited for.
func (y *year) excused(s *space, c time.Time, use bool) bool {
	since, away := s.unreachable(c)
	if use && away && c.Sub(since) >= site.UnknownGrace {
		y.count["stopped without an answer"]++
		return true
	}
	return false
}

// watchRequired checks that a required stop comes in quiet hours of a day that it
// is required on.
func (y *year) watchRequired(s *space, c time.Time, p berth.TemplatePolicy, why string) {
	days := p.AutostopDays | s.policy.AutostopDays
	for i := range 3 { // it may be late
		quiet := c.UTC().Truncate(day).AddDate(0, 0, -i)
		if days.Has(quiet.Weekday()) && quiet.Sub(s.running()) >= time.Hour {
			return
		}
	}
	y.wrong(s, "a stop is required on %v, running since %s: %s", days.Names(), s.running().UTC(), why)
}

func (y *year) watchDelete(s *space, r *run, w berth.Workspace) {
	c := r.CreatedAt
	p := s.template.edits.at(c)
	switch {
	case r.Reason != berth.ReasonAutodelete:
		y.wrong(s, "a delete because of %s", r.Reason)
	case w.DormantAt.IsZero() || w.DeletingAt.IsZero() || w.NoticedAt.IsZero():
		y.wrong(s, "deleted without a date or notice: %+v", w.Lifecycle)
	case c.Before(w.DeletingAt) || w.DeletingAt.Sub(w.NoticedAt) < min(day, p.DormancyAutoDeletion) || w.DeletingAt.Sub(w.DormantAt) < min(7*day, p.DormancyAutoDeletion):
		y.wrong(s, "deleted too soon: %+v", w.Lifecycle)
	case p.DormancyThreshold == 0 || p.DormancyAutoDeletion == 0:
		y.wrong(s, "deleted though that is off")
	case s.owner.isSuspended(c):
		y.wrong(s, "deleted though its owner could not read the notice")
	case w.DormantAt.Sub(later(s.used(w.DormantAt), s.made)) < 7*day:
		y.wrong(s, "deleted though it was used %s: %+v", s.used(c), w.Lifecycle)
	}
}
