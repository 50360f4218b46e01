package lifecycle

import (
	"fmt"
	"time"

	"github.com/berthdev/berth"
)

const (
	// noticeFor is how long before a deletion its owner is told of it at least;
	// less where workspaces sleep for less.
	noticeFor = 24 * time.Hour
	// newDateFor is the same for a date that was not known when the workspace went
	// to sleep.
	newDateFor = 7 * 24 * time.Hour
	// remindAfter is how long after the notice of a deletion its reminder makes
	// sense.
	remindAfter = 12 * time.Hour
	// usedFor is how long a use of what should sleep keeps it from being stopped,
	// and how long after it went to sleep a use may be one from before.
	usedFor = time.Hour
)

// dormancyTurn puts what nobody uses to sleep.
func dormancyTurn(f Facts, now time.Time) turn {
	after := f.Template.Policy.DormancyThreshold
	switch {
	case f.Workspace.Dormant():
		return asleepTurn(f, now)
	case after <= 0 || !StopAgain(f).IsZero() || f.Run != nil && deleteFailed(f.Build):
		return turn{}
	}
	at := LastUse(f).Add(after)
	if f.Run == nil {
		return turn{at: at, step: func() Step {
			return Step{Do: Dormant, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at, Unless: "somebody starts it",
				Why: fmt.Sprintf("Nobody used it for %s, so it sleeps.", length(after))}
		}}
	}
	until, _ := kept(f, now)
	at = later(at, until)
	return turn{at: at, wantOfUse: true, step: func() Step {
		return Step{Do: Stop, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at, Unless: "somebody uses it or holds it",
			Why: fmt.Sprintf("Nobody used it for %s, so it is stopped and sleeps.", length(after))}
	}}
}

// asleepTurn stops what runs of a workspace that sleeps. A use of it in spite of
// that is let be for an hour.
func asleepTurn(f Facts, now time.Time) turn {
	if f.Run == nil || !StopAgain(f).IsZero() || deleteFailed(f.Build) {
		return turn{}
	}
	at, _ := kept(f, now)
	at = later(at, f.Workspace.DormantAt)
	if use := f.Seen.Newest.At; use.After(f.Workspace.DormantAt) {
		at = later(at, use.Add(usedFor))
	}
	return turn{at: at, step: func() Step {
		return Step{Do: Stop, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at, Why: "It sleeps, so what runs of it is stopped.", Unless: "somebody wakes it"}
	}}
}

// Asleep is what is kept of a workspace that falls asleep at now, of which its
// owner is told in the same transaction: it is deleted after as long as its
// template says, where that forgets workspaces at all.
func Asleep(l berth.Lifecycle, p berth.TemplatePolicy, now time.Time) berth.Lifecycle {
	l.DormantAt, l.DeletingAt, l.NoticedAt = now, time.Time{}, time.Time{}
	if p.DormancyThreshold > 0 && p.DormancyAutoDeletion > 0 {
		l.DeletingAt, l.NoticedAt = now.Add(p.DormancyAutoDeletion), now
	}
	return l
}

// Deletes is when a workspace that sleeps will be deleted once its owner was told
// of it; zero: it will not be.
func Deletes(f Facts, now time.Time) time.Time {
	if !f.Workspace.Dormant() || f.Run != nil || f.Owner.Status == berth.UserSuspended {
		return time.Time{}
	}
	return deletion(f, now).date
}

// dated is the date of a deletion; zero: there is none.
type dated struct {
	date time.Time
	told bool // its owner was told of it in time; if not, they are to be told now
}

// deletion is the date as the template has it now. A sooner one than is known
// leaves its owner a week from when they are told of it, or the whole sleep where
// that is shorter.
func deletion(f Facts, now time.Time) dated {
	w, p := f.Workspace, f.Template.Policy
	after := p.DormancyAutoDeletion
	if p.DormancyThreshold <= 0 || after <= 0 {
		return dated{told: w.DeletingAt.IsZero()}
	}
	slept := w.DormantAt
	if use := seenUse(f); use.Sub(slept) > usedFor {
		slept = use
	}
	date, soonest, tomorrow := slept.Add(after), now.Add(min(after, newDateFor)), now.Add(min(after, noticeFor))
	switch {
	case w.DeletingAt.IsZero() || w.NoticedAt.Before(w.DormantAt):
		return dated{date: later(w.DeletingAt, later(date, soonest))}
	case date.After(w.DeletingAt):
		return dated{date: later(date, tomorrow)}
	case later(date, soonest).Add(usedFor).Before(w.DeletingAt):
		return dated{date: later(date, soonest)}
	}
	// Who was suspended and is active again could not read what came meanwhile.
	last := w.DeletingAt.Add(-min(after, noticeFor))
	if w.NoticedAt.After(last) || f.Owner.UpdatedAt.After(last) {
		return dated{date: later(w.DeletingAt, tomorrow)}
	}
	return dated{date: w.DeletingAt, told: true}
}

// deletionTurn deletes what slept for long enough, and tells its owner before.
func deletionTurn(f Facts, now time.Time) turn {
	if !f.Workspace.Dormant() || f.Run != nil || f.Owner.Status == berth.UserSuspended {
		return turn{}
	}
	d := deletion(f, now)
	switch at := later(f.Workspace.DormantAt, f.Owner.UpdatedAt); {
	case at.After(now): // the clock was put back
		return turn{at: at}
	case !d.told:
		return turn{at: now, step: func() Step { return remindDeletion(f, d.date) }}
	case d.date.IsZero():
		return turn{}
	}
	reminder := d.date.Add(-noticeFor)
	if !f.Workspace.RemindedFor.Equal(d.date) && now.Before(d.date) && reminder.Sub(f.Workspace.NoticedAt) >= remindAfter {
		return turn{at: reminder, step: func() Step { return remindDeletion(f, d.date) }}
	}
	at := d.date
	if f.Build.Transition == berth.Delete {
		at = later(at, f.Build.CompletedAt.Add(deleteAgainAfter))
	}
	return turn{at: at, step: func() Step {
		return Step{Do: Delete, Rule: RuleDeletion, Reason: berth.ReasonAutodelete, Due: d.date, Unless: "somebody wakes it",
			Why: fmt.Sprintf("It slept for %s; its owner was told of that on %s.", length(f.Template.Policy.DormancyAutoDeletion), moment(f.Workspace.NoticedAt, zoneOf(f)))}
	}}
}

func remindDeletion(f Facts, date time.Time) Step {
	s := Step{Do: Remind, Rule: RuleDeletion, Due: date, Why: "It sleeps, and will not be deleted any more."}
	if !date.IsZero() {
		s.Why = fmt.Sprintf("It sleeps, and will be deleted on %s unless somebody wakes it.", moment(date, zoneOf(f)))
	}
	return s
}

// Reminded is what is kept of a workspace once what a step to remind says was
// told at now: also the date of a deletion that was new.
func Reminded(f Facts, s Step, now time.Time) berth.Lifecycle {
	l := f.Workspace.Lifecycle
	switch {
	case s.Rule == RuleDeletion && s.Due.IsZero():
		l.DeletingAt, l.NoticedAt = time.Time{}, time.Time{}
	case s.Rule == RuleDeletion && !deletion(f, now).told:
		l.DeletingAt, l.NoticedAt = s.Due, now
	default:
		l.RemindedFor = s.Due
	}
	return l
}
