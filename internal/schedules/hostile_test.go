package schedules_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// forgotten makes a workspace that slept for so long that its deletion is queued.
func (h *house) forgotten(name string) berth.WorkspaceID {
	h.Helper()
	h.policy(func(p *berth.TemplatePolicy) {
		p.DormancyThreshold, p.DormancyAutoDeletion = 30*24*time.Hour, 2*24*time.Hour
	})
	id := h.stopped(name)
	must(h.T, h.schedules.Sleep(h.Context(), h.mel, id, ""))
	h.through(2*24*time.Hour + time.Minute)
	h.is(id, 3, berth.Delete, berth.ReasonAutodelete)
	return id
}

// Who wakes a workspace whose deletion waits for a runner keeps it; once a runner
// has begun, they are told that it is being deleted.
func TestWakeMeetsDeletion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.forgotten("web")
		must(t, h.schedules.Wake(t.Context(), h.mel, id))
		if f := h.facts(id); f.Build.Status() != berth.BuildCanceled || f.Workspace.Dormant() {
			t.Errorf("awake, with a deletion that is %s", f.Build.Status())
		}
		_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Start})
		must(t, err)

		h.run(builds.Report{})
		db := h.forgotten("db")
		h.take()
		refused(t, h.schedules.Wake(t.Context(), h.mel, db), berth.Conflict, "", "berth cancel db")
	})
}

// Who cancels a deletion that nobody asked for keeps the workspace: it is awake,
// and not deleted a day later.
func TestCanceledDeletion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.forgotten("web")
		_, err := h.workspaces.Cancel(t.Context(), h.mel, h.newest(id).ID, false, "")
		must(t, err)
		if l := h.facts(id).Workspace.Lifecycle; l.Dormant() || !l.DeletingAt.IsZero() || !l.ExtendedUntil.IsZero() {
			t.Errorf("kept: %+v", l)
		}
		h.through(25 * time.Hour)
		h.is(id, 3, berth.Delete, berth.ReasonAutodelete)
	})
}

// Who may not delete a workspace does not have it deleted by putting it to sleep.
func TestSleepThatDeletes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.stopped("web")
		sharee := h.shared(id, "gus", berth.GrantAdmin)
		h.policy(func(p *berth.TemplatePolicy) {
			p.DormancyThreshold, p.DormancyAutoDeletion = 30*24*time.Hour, 24*time.Hour
		})
		refused(t, h.schedules.Sleep(t.Context(), sharee, id, ""), berth.Forbidden, "", "deletes while it sleeps")
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyAutoDeletion = 0 })
		must(t, h.schedules.Sleep(t.Context(), sharee, id, ""))
	})
}

// titles is what the owner of a workspace was told of it, the newest last.
func (h *house) titles(id berth.WorkspaceID) (all []string) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) error {
		list, _, err := q.NoticePage(h.mel.UserID, false, store.Page{Limit: 100})
		all = nil
		for _, n := range slices.Backward(list) {
			if n.WorkspaceID == id {
				all = append(all, n.Title)
			}
		}
		return err
	}))
	return all
}

// Of each new date of a deletion its owner is told, also of one that they were
// told before another one, and that there is none any more.
func TestDatesAreTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		after := func(d time.Duration) {
			h.policy(func(p *berth.TemplatePolicy) { p.DormancyThreshold, p.DormancyAutoDeletion = 90*day, d })
		}
		after(30 * day)
		id := h.stopped("web")
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, ""))
		for _, d := range []time.Duration{20 * day, 30 * day, 20 * day, 0} {
			time.Sleep(time.Hour)
			after(d)
			h.write(func(tx *store.Tx) error { return tx.LookAgain(id) })
			h.through(10 * time.Minute)
		}
		want := []string{"web sleeps now, and will be deleted on 31 January 2000", "web will be deleted on 21 January 2000",
			"web will be deleted on 31 January 2000", "web will be deleted on 21 January 2000", "web will not be deleted any more"}
		if got := h.titles(id); !slices.Equal(got, want) {
			t.Errorf("told\n%s", strings.Join(got, "\n"))
		}
		if l := h.facts(id).Workspace.Lifecycle; !l.DeletingAt.IsZero() || !l.NoticedAt.IsZero() {
			t.Errorf("%+v", l)
		}
	})
}

// A use of what should sleep gives it one later date, not one after the other.
func TestUsedWhileAsleep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyThreshold, p.DormancyAutoDeletion = 90*day, 30*day })
		id := h.running("web")
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, ""))
		time.Sleep(3 * time.Hour) // until a runner takes its stop
		h.write(func(tx *store.Tx) error { return tx.UseWorkspace(id) })
		h.run(builds.Report{})
		h.through(day)
		if got := h.titles(id); len(got) > 2 || len(h.acts(id)) > 1 {
			t.Errorf("told %d times, %d acts", len(got), len(h.acts(id)))
		}
	})
}

// What is left of somebody who left the organization does not start by itself.
func TestLeftOrganization(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.stopped("web")
		h.write(func(tx *store.Tx) error {
			w, err := tx.Workspace(id)
			if err != nil {
				return err
			}
			w.Autostart = "CRON_TZ=UTC 0 * * * *"
			if err := tx.SetLifecycle(id, w.Lifecycle); err != nil {
				return err
			}
			return tx.RemoveMember(w.OrganizationID, w.OwnerID)
		})
		h.through(2 * time.Hour)
		h.is(id, 2, berth.Stop, h.newest(id).Reason)
		if acts := h.acts(id); len(acts) == 0 || !strings.Contains(acts[0].Why, "may not start it any more") {
			t.Errorf("%+v", acts)
		}
	})
}

// What an edit would do is found out while somebody else writes: it may take a
// while, and whoever may edit a template can ask for it again and again.
func TestADryRunKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		h := newHouse(t, open(t))
		writing, read := make(chan struct{}), make(chan struct{})
		done := make(chan error)
		go func() {
			done <- h.db.Write(t.Context(), func(tx *store.Tx) error {
				close(writing)
				select {
				case <-read:
					return nil
				case <-time.After(5 * time.Second):
					return errors.New("the dry runs wait for a writer")
				}
			})
		}()
		<-writing
		dry := policies.How{DryRun: true}
		_, err := h.templates.Edit(t.Context(), h.admin, "", "dev", templates.Edit{Policy: templates.PolicyEdit{DefaultTTL: new(time.Hour)}, How: dry})
		must(t, err)
		_, err = h.templates.Activate(t.Context(), h.admin, "", "dev", "v1", dry)
		must(t, err)
		close(read)
		must(t, <-done)
	})
}

// To take back an edit that let workspaces live is an edit that ends them: it
// waits as long as one.
func TestUndoThatPutsToSleepWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyThreshold = 10 * day })
		id := h.stopped("web")
		_, err := h.edit(templates.PolicyEdit{DormancyThreshold: new(time.Duration(0))}, policies.How{})
		must(t, err)
		h.through(20 * day)
		must(t, h.undo(policies.How{Confirm: true}))
		h.through(59 * time.Minute)
		if h.facts(id).Workspace.Dormant() {
			t.Error("it sleeps before that can be taken back")
		}
		h.through(2 * time.Minute)
		if !h.facts(id).Workspace.Dormant() {
			t.Error("it does not sleep")
		}
	})
}

// Who edits again and again does not fill the database: each edit names all that
// it reaches.
func TestEditsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		kept := 0
		h.write(func(tx *store.Tx) error {
			c := store.PolicyChange{Kind: "template", TargetID: string(h.template.ID), OrganizationID: h.template.OrganizationID, MadeBy: h.admin.UserID,
				Before: []byte("{}"), After: []byte("{}")}
			for range 60 {
				if err := tx.InsertPolicyChange(c); err != nil {
					return err
				}
			}
			for kept = 0; ; kept++ {
				last, err := tx.LastPolicyChange(c.Kind, c.TargetID)
				if errors.Is(err, berth.NotFound) {
					return nil
				}
				if err := errors.Join(err, tx.UndonePolicyChange(last.ID)); err != nil {
					return err
				}
			}
		})
		if kept != 50 {
			t.Errorf("%d are kept", kept)
		}
	})
}
