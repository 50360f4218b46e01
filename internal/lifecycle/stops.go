package lifecycle

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

// suspendedTurn stops what runs of people who are suspended.
func suspendedTurn(f Facts, now time.Time) turn {
	if f.Owner.Status != berth.UserSuspended || f.Run == nil {
		return turn{}
	}
	at := stopFailed(f)
	if at.IsZero() {
		at = now
	}
	return turn{at: at, step: func() Step {
		return Step{Do: Stop, Rule: RuleSuspended, Reason: berth.ReasonSuspended, Due: at, Unless: "its owner is activated again",
			Why: fmt.Sprintf("Its owner %s is suspended.", f.Owner.Username)}
	}}
}

// lives tells whether something may run that the rules of a run hold for: not
// where a stop is tried again, or a delete was begun.
func lives(f Facts) bool {
	return f.Run != nil && !f.Run.Active() && StopAgain(f).IsZero() && !deleteFailed(f.Build)
}

// deadlineTurn stops what ran for long enough. What is sure does not wait for a
// sooner stop that is put off.
func deadlineTurn(f Facts, p plan, now time.Time) turn {
	if !lives(f) {
		return turn{}
	}
	if !p.sure.at.IsZero() && !p.sure.at.After(now) {
		p.limit = p.sure
	}
	return turn{at: p.at, wantOfUse: p.moves > 0, step: func() Step {
		return Step{Do: Stop, Rule: p.rule, Reason: berth.ReasonAutostop, Due: p.at, Why: stopWhy(f, p), Unless: unless(p)}
	}}
}

// stopWhy is the reason of a stop whose time has come.
func stopWhy(f Facts, p plan) string {
	switch {
	case p.rule == RuleRequiredStop:
		return sentence(p.required.words())
	case p.rule == RuleAutoOff:
		return fmt.Sprintf("Nobody used it for %s.", length(p.moves))
	case p.moves > 0 && f.Run.CompletedAt.After(p.at.Add(-p.moves)):
		return "Its time to live is over, and nobody used it since its start."
	case p.moves > 0:
		return fmt.Sprintf("Its time to live is over, and nobody used it for %s.", length(p.moves))
	}
	return "Its time to live is over."
}

// unless is what would keep a stop from being made at its time.
func unless(p plan) string {
	switch {
	case p.rule == RuleRequiredStop:
		return ""
	case p.moves > 0:
		return "somebody uses it, holds it or extends its time"
	}
	return "somebody holds it or extends its time"
}

// reminderTurn tells of a stop before it comes, once. It does not where the
// workspace is used just now and that moves the stop.
func reminderTurn(f Facts, p plan, now time.Time) turn {
	notify := f.Template.Policy.AutostopNotify
	if notify <= 0 || !lives(f) || p.at.IsZero() || p.at.Equal(f.Workspace.RemindedFor) || !now.Before(p.at) {
		return turn{}
	}
	at := p.at.Add(-notify)
	if p.moves > 0 && (p.required.at.IsZero() || p.at.Before(p.required.at)) {
		at = later(at, seenUse(f).Add(idleFor))
	}
	if !at.Before(p.at) {
		return turn{}
	}
	return turn{at: at, step: func() Step {
		return Step{Do: Remind, Rule: p.rule, Due: p.at, Why: fmt.Sprintf("It will be stopped on %s: %s.", moment(p.at, zoneOf(f)), p.words())}
	}}
}

// failedStopTurn tries a stop again until it works.
func failedStopTurn(f Facts) turn {
	at := StopAgain(f)
	return turn{at: at, step: func() Step {
		reason := berth.ReasonAutostop
		if f.Build.Reason == berth.ReasonDormancy {
			reason = f.Build.Reason
		}
		return Step{Do: Stop, Rule: RuleFailedStop, Reason: reason, Due: at, Unless: "somebody uses it",
			Why: fmt.Sprintf("Its stop failed, so it is tried again (try %d).", tries(f.Build)+1)}
	}}
}

// failedStartTurn cleans up what a start left that failed, unless somebody uses
// it.
func failedStartTurn(f Facts, now time.Time) turn {
	after := f.Template.Policy.FailureTTL
	if after <= 0 || !lives(f) || f.Run.Status() == berth.BuildSucceeded {
		return turn{}
	}
	until, _ := kept(f, now)
	at := later(later(f.Run.CompletedAt, seenUse(f)).Add(after), until)
	return turn{at: at, step: func() Step {
		return Step{Do: Stop, Rule: RuleFailedStart, Reason: berth.ReasonAutostop, Due: at, Unless: "somebody uses it or starts it again",
			Why: fmt.Sprintf("Its start failed; what that left is stopped after %s.", length(after))}
	}}
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
	return turn{at: at, wantOfUse: true, step: func() Step {
		return Step{Do: Stop, Rule: RuleVersion, Reason: berth.ReasonAutostop, Due: at, Unless: "somebody uses it or holds it",
			Why: fmt.Sprintf("%s, and nobody used it for %s.", why, length(idleFor))}
	}}
}

// inQuietHours is the first time from at on in quiet hours; zero if there are
// none.
func inQuietHours(f Facts, at time.Time) time.Time {
	quiet, err := berth.ParseQuietHours("", QuietHoursOf(f))
	if err != nil {
		return time.Time{}
	}
	if begin := quiet.Previous(at.Add(time.Nanosecond)); at.Before(begin.Add(quietLast)) {
		return at
	}
	return quiet.Next(at)
}
