package lifecycle

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

// turn is a step that one rule wants, and from when on.
type turn struct {
	at        time.Time // zero: never, as things are
	step      Step
	wantOfUse bool // it is right only if nobody uses the workspace
}

// rules are asked in this order: of several whose turn it is, the first acts.
var rules = []func(Facts, time.Time) turn{
	suspendedTurn, deadlineTurn, failedStopTurn, undoable(failedStartTurn), undoable(versionTurn), undoable(dormancyTurn), scheduleTurn, deletionTurn, reminderTurn,
}

const (
	askAgain     = 5 * time.Minute  // when nobody could say whether it is used
	placeAgain   = time.Minute      // when its provider is not ready
	fullAgain    = 30 * time.Second // when that has enough to do
	afterAct     = time.Minute      // when something was done that made no build
	idleFor      = 15 * time.Minute // without use, until it counts as not in use now
	quietHoursOf = 4 * time.Hour    // how long quiet hours last, for new versions
)

// Next is what is to be done with a workspace at now.
func Next(f Facts, now time.Time) Step {
	w, b := f.Workspace, f.Build
	if w.Prebuild || !w.DeletedAt.IsZero() || b.Transition == "" || b.Active() || b.Transition == berth.Delete && b.Status() == berth.BuildSucceeded {
		return Step{}
	}
	var look time.Time
	for _, rule := range rules {
		t := rule(f, now)
		switch {
		case t.at.IsZero():
		case t.at.After(now):
			look = soonest(look, t.at)
		default:
			return admit(f, t, now)
		}
	}
	return Step{Look: look}
}

// admit makes a step of a turn that has come: one that can be taken, and for
// want of use one of which the agents were asked.
func admit(f Facts, t turn, now time.Time) Step {
	s := t.step
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

// wait is a step for which there is no place now.
func wait(s Step, look time.Time, why string) Step {
	return Step{Do: Wait, Rule: s.Rule, Reason: s.Reason, Due: s.Due, Look: look, Why: fmt.Sprintf("%s This waits: %s", s.Why, why)}
}

// unknown is a step for want of use of which nobody can say whether it is right:
// it is put off. After the site's grace a stop is made all the same; what could
// end in a deletion never is.
func unknown(f Facts, s Step, now time.Time) Step {
	grace, since := f.Site.UnknownGrace, f.Workspace.UnknownSince
	never := grace <= 0 || s.Rule == RuleDormancy
	if !never && !since.IsZero() && now.Sub(since) >= grace {
		s.Why += fmt.Sprintf(" For %s its agents could not be asked whether that is so.", length(grace))
		return s
	}
	s.Do, s.Look = PutOff, now.Add(askAgain)
	s.Why = fmt.Sprintf("%s That is put off: its agents do not answer, so nobody can say whether it is used.", s.Why)
	if !never {
		if since.IsZero() {
			since = now
		}
		s.Look = soonest(s.Look, later(since.Add(grace), now.Add(time.Second)))
	}
	return s
}

// suspendedTurn stops what runs of people who are suspended.
func suspendedTurn(f Facts, now time.Time) turn {
	if f.Owner.Status != berth.UserSuspended || f.Run == nil {
		return turn{}
	}
	at := StopAgain(f)
	if at.IsZero() {
		at = now
	}
	return turn{at: at, step: Step{Do: Stop, Rule: RuleSuspended, Reason: berth.ReasonSuspended, Due: at, Why: fmt.Sprintf("Its owner %s is suspended.", f.Owner.Username)}}
}

// deadlineTurn stops what ran for long enough.
func deadlineTurn(f Facts, now time.Time) turn {
	if !lives(f) {
		return turn{}
	}
	plan := Deadline(f, now)
	return turn{at: plan.At, wantOfUse: plan.Moves > 0,
		step: Step{Do: Stop, Rule: plan.Rule, Reason: berth.ReasonAutostop, Due: plan.At, Why: stopWhy(f, plan)}}
}

// lives tells whether something may run that the rules of a run hold for: not
// where a stop is tried again, or a delete ended in between.
func lives(f Facts) bool {
	return f.Run != nil && !f.Run.Active() && StopAgain(f).IsZero() && !deleteFailed(f.Build)
}

// stopWhy is the reason of a stop whose time has come.
func stopWhy(f Facts, plan StopPlan) string {
	switch {
	case plan.Rule == RuleRequiredStop:
		return sentence(plan.Because)
	case plan.Rule == RuleAutoOff:
		return fmt.Sprintf("Nobody used it for %s.", length(plan.Moves))
	case plan.Moves > 0:
		return fmt.Sprintf("Its time to live is over, and nobody used it for %s.", length(plan.Moves))
	}
	return "Its time to live is over."
}

// failedStopTurn tries a stop again until it works.
func failedStopTurn(f Facts, now time.Time) turn {
	at := StopAgain(f)
	if at.IsZero() {
		return turn{}
	}
	reason := berth.ReasonAutostop
	if f.Build.Reason == berth.ReasonDormancy {
		reason = f.Build.Reason
	}
	return turn{at: at, step: Step{Do: Stop, Rule: RuleFailedStop, Reason: reason, Due: at,
		Why: fmt.Sprintf("Its stop failed, so it is tried again (try %d).", tries(f.Build)+1)}}
}

// failedStartTurn cleans up what a start left that failed, unless somebody uses
// it.
func failedStartTurn(f Facts, now time.Time) turn {
	after := f.Template.Policy.FailureTTL
	if after <= 0 || !lives(f) || f.Run.Status() == berth.BuildSucceeded {
		return turn{}
	}
	until, _ := kept(f, now)
	at := later(later(f.Run.CompletedAt, f.Seen.Newest.At).Add(after), until)
	return turn{at: at, step: Step{Do: Stop, Rule: RuleFailedStart, Reason: berth.ReasonAutostop, Due: at,
		Why: fmt.Sprintf("Its start failed; what that left is stopped after %s.", length(after))}}
}

// versionTurn stops what runs an older version, once nobody uses it.
func versionTurn(f Facts, now time.Time) turn {
	p := f.Template.Policy
	if p.Rollout != berth.RolloutWhenIdle && p.Rollout != berth.RolloutQuietHours || !lives(f) || f.Run.Status() != berth.BuildSucceeded ||
		f.Run.VersionID == f.Template.ActiveVersionID || !p.ActivatedAt.After(f.Run.CreatedAt) {
		return turn{}
	}
	until, _ := kept(f, now)
	at := later(later(LastUse(f), later(f.Run.CompletedAt, p.ActivatedAt)).Add(idleFor), until)
	why := "Its template has a newer version"
	if p.Rollout == berth.RolloutQuietHours {
		at = inQuietHours(f, later(at, now))
		why += ", it is in the quiet hours of its owner"
	}
	return turn{at: at, wantOfUse: true, step: Step{Do: Stop, Rule: RuleVersion, Reason: berth.ReasonAutostop, Due: at,
		Why: fmt.Sprintf("%s, and nobody used it for %s.", why, length(idleFor))}}
}

// inQuietHours is the first time from at on in quiet hours; zero if there are
// none.
func inQuietHours(f Facts, at time.Time) time.Time {
	quiet, err := berth.ParseQuietHours("", QuietHoursOf(f))
	if err != nil {
		return time.Time{}
	}
	if begin := quiet.Previous(at.Add(time.Nanosecond)); at.Before(begin.Add(quietHoursOf)) {
		return at
	}
	return quiet.Next(at)
}

// reminderTurn tells of a stop before it comes, once. It does not where the
// workspace is used just now and that moves the stop.
func reminderTurn(f Facts, now time.Time) turn {
	notify := f.Template.Policy.AutostopNotify
	if notify <= 0 || !lives(f) {
		return turn{}
	}
	plan := Deadline(f, now)
	if plan.At.IsZero() || plan.At.Equal(f.Workspace.RemindedFor) || !now.Before(plan.At) {
		return turn{}
	}
	at := plan.At.Add(-notify)
	if plan.Moves > 0 && (plan.Never.IsZero() || plan.At.Before(plan.Never)) {
		at = later(at, seenUse(f).Add(idleFor))
	}
	if !at.Before(plan.At) {
		return turn{}
	}
	return turn{at: at, step: Step{Do: Remind, Rule: plan.Rule, Due: plan.At, Why: fmt.Sprintf("It will be stopped on %s: %s.", moment(plan.At, zoneOf(f)), plan.Why)}}
}
