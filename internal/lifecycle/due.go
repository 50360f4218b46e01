package lifecycle

import (
	"time"
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
