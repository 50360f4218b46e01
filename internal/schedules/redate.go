package schedules

import (
	"time"

	"github.com/berthdev/berth/internal/lifecycle"
)

// afterNotice is how long at least a sooner date of deletion is behind its
// notice, unless workspaces sleep for a shorter time than that.
const afterNotice = 7 * 24 * time.Hour

// sooner is the date on which a sleeping workspace is deleted where its template
// lets workspaces sleep for less long than when the owner was told of a date;
// zero if that date stays. A later one is the rule's own business.
func sooner(f lifecycle.Facts, now time.Time) time.Time {
	l, p := f.Workspace.Lifecycle, f.Template.Policy
	if !l.Dormant() || l.DeletingAt.IsZero() || p.DormancyThreshold <= 0 || p.DormancyAutoDeletion <= 0 {
		return time.Time{}
	}
	length, date := p.DormancyAutoDeletion, l.DormantAt
	for _, at := range []time.Time{f.Seen.Newest.At, now.Add(min(length, afterNotice) - length)} {
		if at.After(date) {
			date = at
		}
	}
	if date = date.Add(length); date.Before(l.DeletingAt) {
		return date
	}
	return time.Time{}
}

// bringForward sets a sooner date of deletion and tells the owner.
func (w *work) bringForward(date time.Time) error {
	w.l.DeletingAt, w.l.NoticedAt, w.l.RemindedFor, w.l.NextLook = date, w.now, time.Time{}, w.now
	w.step = lifecycle.Step{Do: lifecycle.Remind, Rule: lifecycle.RuleDeletion, Due: date,
		Why: "It sleeps, and its template deletes what sleeps sooner now: on " + date.UTC().Format("Monday 2 January 15:04 (MST)") + " unless somebody wakes it."}
	if err := w.record(""); err != nil {
		return err
	}
	if err := w.tell(deletionSoon(w)); err != nil {
		return err
	}
	return w.tx.SettleLifecycle(w.f.Workspace.ID, w.l)
}

// redate is the date of deletion that the loop will give a sleeping workspace;
// nil if the one that it has stays.
func redate(f lifecycle.Facts, now time.Time) *time.Time {
	if date := sooner(f, now); !date.IsZero() {
		return &date
	}
	if step := lifecycle.Next(f, now); step.Do == lifecycle.Remind && step.Rule == lifecycle.RuleDeletion && lifecycle.Deletion(f).IsZero() {
		return &step.Due
	}
	return nil
}
