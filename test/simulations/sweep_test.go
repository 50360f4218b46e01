package simulations

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// sweepEvery is how often is looked for what was forgotten.
const sweepEvery = 12 * time.Hour

// sweep looks for what should have happened and did not.
func (y *year) sweep() {
	now := time.Now()
	for _, s := range y.spaces {
		if !s.gone && y.calm(s, now.Add(-4*time.Hour), now) {
			y.overdue(s, now)
			y.missed(s, now)
		}
	}
	y.agenda.add(now.Add(sweepEvery), y.sweep)
}

// calm tells whether nothing kept the rules from being applied in a span.
func (y *year) calm(s *space, from, to time.Time) bool {
	if s.newest == nil || s.newest.CompletedAt.IsZero() || y.down.Add(4*time.Hour).After(to) || s.stubborn.After(from) ||
		s.template.edits[len(s.template.edits)-1].at.After(from) || s.template.org.edits[len(s.template.org.edits)-1].at.After(from) {
		return false
	}
	for _, a := range s.place.away {
		if a.from.Before(to) && a.to.After(from) {
			return false
		}
	}
	for _, a := range s.away {
		if a.from.Before(to) && a.to.Add(time.Hour).After(from) {
			return false
		}
	}
	return true
}

// overdue looks for what runs for longer than its rules let it.
func (y *year) overdue(s *space, now time.Time) {
	if s.up == nil || now.Sub(s.running()) < 2*time.Hour || !s.newest.ok && s.newest.Transition == berth.Stop {
		return
	}
	const slack = time.Hour
	if s.owner.isSuspended(now) && s.owner.isSuspended(now.Add(-slack)) {
		y.wrong(s, "runs though its owner is suspended")
	}
	lifted := s.extended
	for _, h := range s.holds { // also one that ended just now
		if !h.from.After(now) {
			lifted = later(lifted, h.to)
		}
	}
	counts := s.open && s.template.org.IdleCounts
	if at, ends := s.ttlBound(now); ends && !counts && s.schedule == nil && later(at, lifted).Add(slack).Before(now) {
		y.wrong(s, "runs though its time to live ended at %s", at.UTC())
	}
	if at, ends := s.offBound(now); ends && !counts && later(at, lifted).Add(slack).Before(now) {
		y.wrong(s, "runs though auto-off was at %s", at.UTC())
	}
	p := s.template.Policy
	if p.FailureTTL > 0 && !s.up.ok && later(s.up.CompletedAt.Add(p.FailureTTL), lifted).Add(slack).Before(now) {
		y.wrong(s, "what its failed start left was not stopped; that ended at %s", s.up.CompletedAt.UTC())
	}
	if p.AutostopDays != 0 && s.policy.AutostopDays == p.AutostopDays && p.AutostopWeeks == 1 && now.Sub(s.running()) > 9*day {
		y.wrong(s, "runs since %s though a stop is required on %v", s.running().UTC(), p.AutostopDays.Names())
	}
}

// missed looks for starts that a schedule wanted.
func (y *year) missed(s *space, now time.Time) {
	if s.schedule == nil || s.up != nil || !s.newest.ok || s.newest.Transition != berth.Stop {
		return
	}
	for _, slot := range s.schedule.slots(span{now.Add(-4 * time.Hour), now.Add(-2 * time.Hour)}) {
		p, o := s.template.Policy, s.template.org
		within := o.AutostartUsedWithin == 0 || slot.Sub(s.used(slot)) < o.AutostartUsedWithin-time.Hour
		if p.AllowUserAutostart && p.AutostartDays.Has(slot.Weekday()) && o.AutostartDays.Has(slot.Weekday()) && within &&
			!s.owner.isSuspended(slot) && !s.owner.isSuspended(now) && s.newest.CompletedAt.Before(slot.Add(-20*time.Minute)) && !y.sleeps(s) {
			y.wrong(s, "was not started at %s by its schedule %s", slot.UTC(), s.schedule)
		}
	}
}

// sleeps looks whether the workspace sleeps, and checks that it may.
func (y *year) sleeps(s *space) bool {
	var w berth.Workspace
	y.must(y.db.Read(y.t.Context(), func(q *store.Query) (err error) {
		w, err = q.Workspace(s.id)
		return err
	}))
	if w.Dormant() && s.asleep.IsZero() {
		p := s.template.edits.at(w.DormantAt)
		if used := later(s.used(w.DormantAt), s.made); p.DormancyThreshold == 0 || w.DormantAt.Sub(used) < p.DormancyThreshold || s.held(w.DormantAt).After(w.DormantAt) {
			y.wrong(s, "sleeps since %s, used %s", w.DormantAt.UTC(), used.UTC())
		}
		if p.DormancyAutoDeletion > 0 && (w.NoticedAt.IsZero() || w.DeletingAt.IsZero()) {
			y.wrong(s, "sleeps and nobody was told when it is deleted: %+v", w.Lifecycle)
		}
		y.count["asleep"]++
		s.asleep = w.DormantAt
	}
	return w.Dormant()
}
