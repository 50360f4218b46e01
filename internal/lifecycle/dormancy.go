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
	// usedFor is how long a use of what should sleep keeps it from being stopped.
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
		return turn{at: at, step: Step{Do: Dormant, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at,
			Why: fmt.Sprintf("Nobody used it for %s, so it sleeps.", length(after))}}
	}
	until, _ := kept(f, now)
	at = later(at, until)
	return turn{at: at, wantOfUse: true, step: Step{Do: Stop, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at,
		Why: fmt.Sprintf("Nobody used it for %s, so it is stopped and sleeps.", length(after))}}
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
	return turn{at: at, step: Step{Do: Stop, Rule: RuleDormancy, Reason: berth.ReasonDormancy, Due: at, Why: "It sleeps, so what runs of it is stopped."}}
}

// Deletion is when a workspace that sleeps is deleted, as far as its owner was
// told in time; zero: it is not.
func Deletion(f Facts) time.Time {
	if date, told := deletion(f); told {
		return date
	}
	return time.Time{}
}

// deletion is the date, and whether its owner was told of it in time.
func deletion(f Facts) (date time.Time, told bool) {
	w, p := f.Workspace, f.Template.Policy
	if !w.Dormant() || f.Run != nil || p.DormancyThreshold <= 0 || p.DormancyAutoDeletion <= 0 {
		return time.Time{}, false
	}
	date = later(w.DeletingAt, later(w.DormantAt, f.Seen.Newest.At).Add(p.DormancyAutoDeletion))
	last := date.Add(-min(p.DormancyAutoDeletion, noticeFor))
	// Who was suspended and is active again could not read what came meanwhile.
	told = !w.DeletingAt.IsZero() && !w.NoticedAt.IsZero() && !w.NoticedAt.Before(w.DormantAt) && !w.NoticedAt.After(last) && !f.Owner.UpdatedAt.After(last)
	return date, told
}

// deletionTurn deletes what slept for long enough, and tells its owner before.
func deletionTurn(f Facts, now time.Time) turn {
	date, told := deletion(f)
	if date.IsZero() || f.Owner.Status == berth.UserSuspended {
		return turn{}
	}
	if !told {
		notice := noticeFor
		if f.Workspace.DeletingAt.IsZero() {
			notice = newDateFor
		}
		date = later(date, now.Add(min(f.Template.Policy.DormancyAutoDeletion, notice)))
		return turn{at: now, step: remindDeletion(f, date)}
	}
	if !f.Workspace.RemindedFor.Equal(date) && now.Before(date) {
		if at := date.Add(-noticeFor); at.Sub(f.Workspace.NoticedAt) >= remindAfter {
			return turn{at: at, step: remindDeletion(f, date)}
		}
	}
	at := date
	if f.Build.Transition == berth.Delete {
		at = later(at, f.Build.CompletedAt.Add(deleteAgainAfter))
	}
	return turn{at: at, step: Step{Do: Delete, Rule: RuleDeletion, Reason: berth.ReasonAutodelete, Due: date,
		Why: fmt.Sprintf("It slept for %s; its owner was told of that on %s.", length(f.Template.Policy.DormancyAutoDeletion), moment(f.Workspace.NoticedAt, zoneOf(f)))}}
}

func remindDeletion(f Facts, date time.Time) Step {
	return Step{Do: Remind, Rule: RuleDeletion, Due: date,
		Why: fmt.Sprintf("It sleeps, and will be deleted on %s unless somebody wakes it.", moment(date, zoneOf(f)))}
}
