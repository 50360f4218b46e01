package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"github.com/berthdev/berth"
)

// turn is a step that one rule wants, and from when on.
type turn struct {
	at        time.Time   // zero: never, as things are
	step      func() Step // its words are made only when it is taken
	wantOfUse bool        // it is right only if nobody uses the workspace
}

const (
	askAgain   = 5 * time.Minute  // when nobody could say whether it is used
	placeAgain = time.Minute      // when its provider is not ready
	fullAgain  = 30 * time.Second // when that has enough to do
	afterAct   = time.Minute      // when something was done that made no build
	idleFor    = 15 * time.Minute // without use, until it counts as not in use now
	quietLast  = 4 * time.Hour    // how long quiet hours last, for new versions
)

// Next is what is to be done with a workspace at now.
func Next(f Facts, now time.Time) Step {
	w, b := f.Workspace, f.Build
	if w.Prebuild || !w.DeletedAt.IsZero() || b.Transition == "" || b.Active() || b.Transition == berth.Delete && b.Status() == berth.BuildSucceeded {
		return Step{}
	}
	f.Seen.Holds = slices.DeleteFunc(slices.Clone(f.Seen.Holds), func(h berth.Hold) bool { return !h.Until.After(now) })
	var look time.Time
	var put Step // the first that is put off; who acts for another reason does not wait for it
	for _, t := range turnsOf(f, now) {
		switch {
		case t.at.IsZero():
		case t.at.After(now):
			look = soonest(look, t.at)
		default:
			s := admit(f, t, now)
			if s.Do != PutOff {
				return s
			}
			if put.Do == Nothing {
				put = s
			}
		}
	}
	if put.Do == PutOff {
		put.Look = soonest(put.Look, look)
		return put
	}
	return Step{Look: look}
}

// turnsOf is the turn of each rule. Of several that have come, the first acts.
func turnsOf(f Facts, now time.Time) [9]turn {
	stop := planOf(f, now)
	return [...]turn{suspendedTurn(f, now), deadlineTurn(f, stop, now), failedStopTurn(f), undoable(f, failedStartTurn(f, now)),
		undoable(f, versionTurn(f, now)), undoable(f, dormancyTurn(f, now)), scheduleTurn(f, now), deletionTurn(f, now), reminderTurn(f, stop, now)}
}

// admit makes a step of a turn that has come: one that can be taken, and for
// want of use one of which the agents were asked.
func admit(f Facts, t turn, now time.Time) Step {
	s := t.step()
	builds := s.Do == Start || s.Do == Stop || s.Do == Delete
	switch {
	case !builds:
		s.Look = now.Add(afterAct)
		return s
	case !f.Place.Ready:
		return wait(s, now.Add(placeAgain), f.Place.Why)
	case f.Place.Full:
		return wait(s, now.Add(fullAgain), "Its workspace provider has enough to do; its turn comes.")
	case t.wantOfUse && !f.Asked:
		s.Ask = true
		return s
	case t.wantOfUse && !f.Answered:
		return unknown(f, s, now)
	}
	return s
}

// named is what a step makes, for people.
var named = map[Do]string{Start: "start", Stop: "stop", Delete: "deletion"}

// wait is a step for which there is no place now.
func wait(s Step, look time.Time, why string) Step {
	return Step{Do: Wait, Rule: s.Rule, Reason: s.Reason, Due: s.Due, Look: look, Why: fmt.Sprintf("Its %s waits. %s", named[s.Do], why)}
}

// unknown is a step for want of use of which nobody can say whether it is right:
// it is put off. After the site's grace a stop is made all the same; what could
// end in a deletion never is.
func unknown(f Facts, s Step, now time.Time) Step {
	grace, since := f.Site.UnknownGrace, f.Workspace.UnknownSince
	never := grace <= 0 || s.Rule == RuleDormancy
	if !never && !since.IsZero() && now.Sub(since) >= grace {
		s.Why = fmt.Sprintf("It was not seen in use when its time was over, and for %s its agents could not be asked.", length(grace))
		return s
	}
	s.Do, s.Look = PutOff, now.Add(askAgain)
	s.Why = "Its stop is put off: its agents do not answer, so nobody can say whether it is used."
	if !never {
		if since.IsZero() {
			since = now
		}
		s.Look = soonest(s.Look, later(since.Add(grace), now.Add(time.Second)))
	}
	return s
}
