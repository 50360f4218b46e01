package schedules

import (
	"time"

	"github.com/berthdev/berth/internal/lifecycle"
)

// afterNotice is how long at least a new date of deletion is behind its notice,
// unless workspaces sleep for a shorter time than that.
const afterNotice = 7 * 24 * time.Hour

// redate is the new date of a sleeping workspace's deletion where its template
// says another length now; nil if the date stays, zero if it is not deleted.
func redate(f lifecycle.Facts, now time.Time) *time.Time {
	l, length := f.Workspace.Lifecycle, f.Template.Policy.DormancyAutoDeletion
	if !l.Dormant() {
		return nil
	}
	if f.Template.Policy.DormancyThreshold == 0 {
		length = 0
	}
	date, first := l.DormantAt.Add(length), now.Add(min(length, afterNotice))
	switch known := l.DeletingAt; {
	case length == 0:
		date = time.Time{}
	case known.IsZero() || l.NoticedAt.IsZero():
		date = latest(date, known, first)
	case date.Before(known):
		if date = latest(date, first); date.After(known) {
			date = known // that was told already
		}
	}
	if date.Equal(l.DeletingAt) && date.IsZero() == l.NoticedAt.IsZero() {
		return nil
	}
	return &date
}

func latest(first time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// redate follows a template that says another length, and tells the owner.
func (w *work) redate(date *time.Time) error {
	switch {
	case date.IsZero():
		w.l.NoticedAt = time.Time{}
	case w.l.NoticedAt.IsZero() || date.Before(w.l.DeletingAt):
		w.l.NoticedAt = w.now
	} // of a later date: who was told of the sooner one was told in time
	w.l.DeletingAt = *date
	w.l.NextLook = w.now // with the new date
	w.step = lifecycle.Step{Do: lifecycle.Dormant, Rule: lifecycle.RuleDeletion, Due: *date, Why: "It will not be deleted any more: its template says so now."}
	if !date.IsZero() {
		w.step.Why = "Its template says another time until sleeping workspaces are deleted: this one will be on " + date.Format("2 January 2006 at 15:04 MST") + "."
	}
	if err := w.record(""); err != nil {
		return err
	}
	if err := w.tell(told[lifecycle.Dormant]); err != nil {
		return err
	}
	return w.tx.SettleLifecycle(w.f.Workspace.ID, w.l)
}
