package schedules

import (
	"context"
	"errors"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Sleep makes a workspace dormant because somebody wants it: nothing starts it
// until it is woken. What may run is stopped first; a build that is under way is
// a conflict. A workspace that sleeps already stays as it is.
func (s *Service) Sleep(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, reason berth.Reason) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := sharing.Find(&tx.Query, actor, authz.Update, id)
		if err != nil || w.Dormant() {
			return err
		}
		t, err := tx.Template(w.TemplateID)
		if err != nil {
			return err
		}
		if t.Policy.DormancyThreshold > 0 && t.Policy.DormancyAutoDeletion > 0 { // it would be deleted by that, some time later
			if err := sharing.Check(&tx.Query, actor, authz.Delete, w, "the workspace, which its template deletes while it sleeps"); err != nil {
				return err
			}
		}
		newest, err := tx.NewestBuild(id)
		if err != nil {
			return err
		}
		if berth.WorkspaceStatus(newest) != berth.StatusStopped {
			if _, err := s.workspaces.StopIn(tx, actor, id, reason); err != nil {
				return err
			}
		}
		before := w.Lifecycle
		w.Lifecycle = lifecycle.Asleep(before, t.Policy, tx.Now)
		if err := tx.SetLifecycle(id, w.Lifecycle); err != nil {
			return err
		}
		data := map[string]string{"why": "put to sleep by " + actor.Username}
		if !w.DeletingAt.IsZero() {
			data["deleting_at"] = moment(w.DeletingAt)
		}
		return errors.Join(record(tx, actor, "dormancy-sleep", w, dormancyChanges(before, w.Lifecycle)),
			s.notices.Tell(tx, berth.Notice{Kind: notices.KindDormant, WorkspaceID: id, TemplateID: w.TemplateID, Data: data}, w.OwnerID))
	})
}

// Wake ends that a workspace is dormant. It counts as use; it does not start it.
// One that is awake stays as it is. A deletion that no runner has begun is taken
// back; one that was begun has to be canceled, which does not promise anything.
func (s *Service) Wake(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := sharing.Find(&tx.Query, actor, authz.Update, id)
		if err != nil || !w.Dormant() {
			return err
		}
		if err := s.workspaces.KeepIn(tx, w); err != nil {
			return err
		}
		before := w.Lifecycle
		w.DormantAt, w.DeletingAt, w.NoticedAt, w.NextLook = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		return errors.Join(tx.SetLifecycle(id, w.Lifecycle), tx.UseWorkspace(id),
			record(tx, actor, "dormancy-wake", w, dormancyChanges(before, w.Lifecycle)))
	})
}

func dormancyChanges(before, now berth.Lifecycle) berth.Changes {
	changes := berth.Changes{}
	changes.Set("dormant", before.Dormant(), now.Dormant())
	changes.Set("deleting_at", whenever(before.DeletingAt), whenever(now.DeletingAt))
	return changes
}

// whenever is a time as the record has it: nothing for none.
func whenever(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// record is the audit row of what a person did to a workspace.
func record(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, changes berth.Changes) error {
	row, err := tx.AuditOf(w)
	row.ActorID, row.Action, row.Changes = actor.UserID, action, changes
	return errors.Join(err, tx.InsertAudit(row))
}
