package workspaces

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// spared is for how long at least nothing stops a workspace again whose stop
// somebody canceled, but a required stop.
const spared = time.Hour

// KeepIn takes back, in a transaction that does more, the deletion of a workspace
// that nobody asked for. One that a runner has begun is a conflict.
func (s *Service) KeepIn(tx *store.Tx, w berth.Workspace) error {
	newest, err := tx.NewestBuild(w.ID)
	if err != nil || !newest.Active() || newest.Transition != berth.Delete {
		return err
	}
	if newest.Reason != berth.ReasonAutodelete || !newest.StartedAt.IsZero() {
		return berth.Errorf(berth.Conflict, "the workspace %s is being deleted by build %d: cancel that first, with berth cancel %s", w.Name, newest.Number, w.Name)
	}
	_, err = s.queue.Cancel(tx, newest.ID, false, "")
	return err
}

// spare notes that somebody canceled a build: who cancels a stop wants the
// workspace to run on, and to be awake; who cancels a deletion that nobody asked
// for wants to keep it.
func spare(tx *store.Tx, b berth.Build) error {
	deletes := b.Transition == berth.Delete && b.Reason == berth.ReasonAutodelete
	if b.Transition != berth.Stop && !deletes {
		return nil
	}
	w, err := tx.Workspace(b.WorkspaceID)
	if err != nil || w.Prebuild || !w.DeletedAt.IsZero() {
		return err
	}
	t, err := tx.Template(w.TemplateID)
	if err != nil {
		return err
	}
	l := w.Lifecycle
	if until := tx.Now.Add(max(t.Policy.ActivityBump, spared)); !deletes && until.After(l.ExtendedUntil) {
		l.ExtendedUntil = until
	}
	if deletes || b.Reason == berth.ReasonDormancy {
		l.DormantAt, l.DeletingAt, l.NoticedAt = time.Time{}, time.Time{}, time.Time{}
	}
	if err := tx.UseWorkspace(w.ID); err != nil {
		return err
	}
	return tx.SetLifecycle(w.ID, l)
}
