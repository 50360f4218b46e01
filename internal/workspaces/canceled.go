package workspaces

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// spared is for how long at least nothing stops a workspace again whose stop
// somebody canceled, but a required stop.
const spared = time.Hour

// spare notes that somebody canceled a build: who cancels a stop wants the
// workspace to run on, and to be awake.
func spare(tx *store.Tx, b berth.Build) error {
	if b.Transition != berth.Stop {
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
	if until := tx.Now.Add(max(t.Policy.ActivityBump, spared)); until.After(l.ExtendedUntil) {
		l.ExtendedUntil = until
	}
	if b.Reason == berth.ReasonDormancy {
		l.DormantAt, l.DeletingAt, l.NoticedAt = time.Time{}, time.Time{}, time.Time{}
	}
	if err := tx.UseWorkspace(w.ID); err != nil {
		return err
	}
	return tx.SetLifecycle(w.ID, l)
}
