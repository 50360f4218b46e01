package lifecycle

import (
	"time"

	"github.com/berthdev/berth"
)

// undoable keeps a rule from acting within the hour after an edit that made it
// act sooner: until then the edit can be taken back.
func undoable(f Facts, t turn) turn {
	if put := f.Template.Policy.TightenedAt; !put.IsZero() && !t.at.IsZero() {
		t.at = later(t.at, put.Add(undoFor))
	}
	return t
}

// Dues is when each rule would act next by itself, as things are: at most one act
// of each, none before now.
func Dues(f Facts, now time.Time) []Coming {
	var all []Coming
	for _, t := range turnsOf(f, now) {
		if !t.at.IsZero() && t.step != nil {
			s := t.step()
			all = append(all, Coming{At: later(t.at, now), Do: s.Do, Rule: s.Rule, Why: s.Why, Unless: s.Unless})
		}
	}
	return all
}

// PutOn is by what a run is stopped once what its template, or its organization,
// says now is put on it, and not only on its next start.
func PutOn(f Facts, template, organization bool, now time.Time) berth.Policy {
	var p berth.Policy
	if f.Run.Policy != nil {
		p = *f.Run.Policy
	}
	present := PolicyOf(f)
	if template {
		if p.AutostopDays != present.AutostopDays || p.AutostopWeeks != present.AutostopWeeks {
			p.DaysAt = now
		}
		p.TTL, p.Bump, p.AutostopDays, p.AutostopWeeks = present.TTL, present.Bump, present.AutostopDays, present.AutostopWeeks
	}
	if organization {
		p.AutoOff = present.AutoOff
	}
	if p.QuietHours == "" {
		p.QuietHours = present.QuietHours
	}
	p.PutAt = now
	return p
}
