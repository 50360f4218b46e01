package schedules_test

import (
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/workspaces"
)

// A workspace that somebody puts to sleep is stopped, starts for nobody, and has
// the date of deletion that its template says; waking ends all of that.
func TestSleepAndWake(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) {
			p.DormancyThreshold, p.DormancyAutoDeletion = 30*24*time.Hour, 7*24*time.Hour
		})
		id := h.running("web")
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, berth.ReasonCLI))
		f := h.facts(id)
		if l := f.Workspace; !l.Dormant() || l.DeletingAt.Sub(l.DormantAt) != 7*24*time.Hour || !l.NoticedAt.Equal(l.DormantAt) {
			t.Errorf("asleep: %+v", l.Lifecycle)
		}
		if f.Build.Transition != berth.Stop || f.Build.Reason != berth.ReasonCLI {
			t.Errorf("the newest build is %s for %s", f.Build.Transition, f.Build.Reason)
		}
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, "")) // again: nothing happens
		h.run(builds.Report{})
		for _, reason := range []berth.Reason{"", berth.ReasonCLI, berth.ReasonSSH} {
			_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Start, Reason: reason})
			refused(t, err, berth.Conflict, "", "berth dormancy wake web")
		}
		time.Sleep(time.Hour)
		must(t, h.schedules.Wake(t.Context(), h.mel, id))
		w := h.facts(id).Workspace
		if w.Dormant() || !w.DeletingAt.IsZero() || !w.NoticedAt.IsZero() || time.Since(w.LastUsedAt) > time.Minute {
			t.Errorf("awake: %+v, last used %v", w.Lifecycle, w.LastUsedAt)
		}
		must(t, h.schedules.Wake(t.Context(), h.mel, id))
		_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Start})
		must(t, err)
		if err := h.schedules.Sleep(t.Context(), h.mel, id, ""); !errors.Is(err, berth.Conflict) {
			t.Errorf("while it starts: %v", err)
		}
		use := h.shared(id, "gus", berth.GrantUse)
		if err := h.schedules.Sleep(t.Context(), use, id, ""); !errors.Is(err, berth.Forbidden) {
			t.Errorf("who uses it by a share puts it to sleep: %v", err)
		}
	})
}

// Where templates forget no workspaces, a dormant one has no date.
func TestSleepForEver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyAutoDeletion = 7 * 24 * time.Hour }) // without a threshold
		id := h.stopped("web")
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, ""))
		f := h.facts(id)
		if !f.Workspace.Dormant() || !f.Workspace.DeletingAt.IsZero() || f.Build.Number != 2 {
			t.Errorf("%+v", f.Workspace.Lifecycle)
		}
	})
}

// Favorites are a person's own.
func TestFavorites(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		web, db := h.stopped("web"), h.stopped("db")
		must(t, h.schedules.Mark(t.Context(), h.mel, web, true))
		must(t, h.schedules.Mark(t.Context(), h.mel, web, true))
		marked, err := h.schedules.Ahead(t.Context(), h.mel, []berth.WorkspaceID{web, db})
		must(t, err)
		if !marked[web].Favorite || marked[db].Favorite {
			t.Errorf("mel's: %+v", marked)
		}
		if theirs, err := h.schedules.Ahead(t.Context(), h.admin, []berth.WorkspaceID{web}); err != nil || theirs[web].Favorite {
			t.Errorf("others see it: %+v, %v", theirs, err)
		}
		for q, want := range map[string]int{"favorite:true": 1, "favorite:false": 1, "dormant:true": 0, "dormant:false": 2} {
			if found, _, err := h.workspaces.List(t.Context(), h.mel, q, "", 0); err != nil || len(found) != want {
				t.Errorf("%s: %d, %v; want %d", q, len(found), err, want)
			}
		}
		must(t, h.schedules.Mark(t.Context(), h.mel, web, false))
		if found, _, err := h.workspaces.List(t.Context(), h.mel, "favorite:true", "", 0); err != nil || len(found) != 0 {
			t.Errorf("%d, %v", len(found), err)
		}
		if err := h.schedules.Mark(t.Context(), h.person("eve"), web, true); !errors.Is(err, berth.NotFound) {
			t.Errorf("of somebody else's: %v", err)
		}
	})
}

// Quiet hours are a user's own; an administrator of users sets those of others.
func TestQuietHours(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q, err := h.schedules.QuietHours(t.Context(), h.mel, "me")
		if err != nil || q.Own != "" || q.Holds.Describe() != "00:00 every day (UTC)" {
			t.Errorf("%+v, %v", q, err)
		}
		_, err = h.schedules.SetQuietHours(t.Context(), h.mel, "me", "0 22 * * 1-5", false)
		refused(t, err, berth.Invalid, "schedule", "every day")
		q, err = h.schedules.SetQuietHours(t.Context(), h.mel, "me", "CRON_TZ=Europe/Dublin 0 22 * * *", false)
		if err != nil || q.Own == "" || q.Holds.Describe() != "22:00 every day (Europe/Dublin)" {
			t.Errorf("%+v, %v", q, err)
		}
		id := h.running("web")
		if f := h.facts(id); f.Owner.QuietHours != q.Own || f.Run.Policy.QuietHours != q.Own {
			t.Errorf("%+v", f.Owner)
		}
		if _, err := h.schedules.SetQuietHours(t.Context(), h.admin, "mel", "", true); err != nil {
			t.Error(err)
		}
		if f := h.facts(id); f.Owner.QuietHours != "" || f.Run.Policy.QuietHours == q.Own || f.Run.Policy.QuietAt.IsZero() {
			t.Errorf("%+v", f.Owner)
		}
		if _, err := h.schedules.SetQuietHours(t.Context(), h.person("eve"), "mel", "", false); !errors.Is(err, berth.NotFound) {
			t.Errorf("somebody else's: %v", err)
		}
	})
}
