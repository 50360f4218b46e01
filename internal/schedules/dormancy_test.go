package schedules_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
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

// A workspace that nobody uses is stopped and sleeps; its owner is told of the
// date, and again a day before; then it is deleted.
func TestDormancy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyThreshold, p.DormancyAutoDeletion = 10*day, 20*day })
		run, idle := h.running("run"), h.stopped("idle")
		other := h.stopped("other") // somebody else's question: its owner wakes it
		h.through(10*day + 2*time.Hour)
		h.is(run, 2, berth.Stop, berth.ReasonDormancy)
		for _, id := range []berth.WorkspaceID{run, idle} {
			if l := h.facts(id).Workspace.Lifecycle; !l.Dormant() || l.DeletingAt.Sub(l.DormantAt) != 20*day || !l.NoticedAt.Equal(l.DormantAt) {
				t.Fatalf("%+v", l)
			}
		}
		h.run(builds.Report{Error: "the cloud is away"})
		at := h.facts(run).Workspace.DormantAt
		h.until(time.Hour, func() bool { return h.newest(run).Number == 3 })
		h.run(builds.Report{})
		if !h.facts(run).Workspace.DormantAt.Equal(at) {
			t.Error("the next try of its stop marks it anew")
		}
		must(t, h.schedules.Wake(t.Context(), h.mel, other))
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyAutoDeletion = 12 * day }) // sooner
		h.through(2 * time.Hour)
		l := h.facts(idle).Workspace.Lifecycle
		if l.DeletingAt.Sub(l.DormantAt) != 12*day || l.NoticedAt.Sub(l.DormantAt) < time.Hour {
			t.Fatalf("a sooner date: %+v", l)
		}
		h.through(l.DeletingAt.Sub(time.Now()) - time.Hour)
		if h.newest(idle).Transition == berth.Delete {
			t.Fatal("deleted before its time")
		}
		h.through(3 * time.Hour)
		h.is(idle, 3, berth.Delete, berth.ReasonAutodelete)
		if b := h.newest(other); b.Transition == berth.Delete {
			t.Error("what was woken is deleted")
		}
		told := map[string]int{}
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			list, _, err := q.NoticePage(h.mel.UserID, false, store.Page{Limit: 100})
			for _, n := range list {
				if n.WorkspaceID == idle {
					told[n.Kind]++
				}
			}
			return err
		}))
		if told["workspace-dormant"] != 1 || told["workspace-deletion-soon"] != 2 { // the sooner date, the day before
			t.Errorf("told %v", told)
		}
	})
}

// Where a template does not delete any more, what sleeps keeps no date, and its
// owner is told of that.
func TestDeletionIsOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyThreshold, p.DormancyAutoDeletion = 30*day, 20*day })
		id := h.stopped("web")
		must(t, h.schedules.Sleep(t.Context(), h.mel, id, ""))
		h.through(time.Hour)
		h.policy(func(p *berth.TemplatePolicy) { p.DormancyAutoDeletion = 0 })
		h.through(time.Hour)
		if l := h.facts(id).Workspace.Lifecycle; !l.Dormant() || !l.DeletingAt.IsZero() || !l.NoticedAt.IsZero() {
			t.Errorf("%+v", l)
		}
		acts := h.acts(id)
		if len(acts) != 1 || acts[0].Did != "remind" || !strings.Contains(acts[0].Why, "not be deleted any more") {
			t.Errorf("acts %+v", acts)
		}
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			list, _, err := q.NoticePage(h.mel.UserID, false, store.Page{Limit: 100})
			if len(list) != 2 || list[0].Kind != "workspace-deletion-soon" || !strings.Contains(list[0].Title, "not be deleted any more") {
				t.Errorf("told %+v", list)
			}
			return err
		}))
		h.through(30 * day)
		if b := h.newest(id); b.Transition == berth.Delete || len(h.acts(id)) != 1 {
			t.Errorf("build %+v, %d acts", b, len(h.acts(id)))
		}
	})
}

// Whoever starts a workspace uses it: what a rule stops later does not sleep
// before its threshold after that, and is started by its schedule.
func TestPersonsStartIsUse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const day = 24 * time.Hour
		h.policy(func(p *berth.TemplatePolicy) { p.DefaultTTL, p.DormancyThreshold = 2*day, 10*day })
		id := h.stopped("web")
		time.Sleep(9 * day)
		_, err := h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonSSH})
		must(t, err)
		h.run(builds.Report{})
		began := h.newest(id).CompletedAt
		if w := h.facts(id).Workspace; began.Sub(w.LastUsedAt) > time.Minute || w.LastUsedAt.After(began) {
			t.Errorf("started until %v, used %v", began, w.LastUsedAt)
		}
		h.until(3*day, func() bool { return h.newest(id).Transition == berth.Stop })
		if d := h.newest(id).CreatedAt.Sub(began); d < 2*day-time.Minute || d > 2*day+2*time.Minute {
			t.Errorf("stopped %v after its start", d)
		}
		h.run(builds.Report{})
		used := h.facts(id).Workspace.LastUsedAt
		h.until(12*day, func() bool { return h.facts(id).Workspace.Dormant() })
		if d := h.facts(id).Workspace.DormantAt.Sub(began); d < 10*day-time.Minute {
			t.Errorf("it sleeps %v after a person started it", d)
		}
		if at := h.facts(id).Workspace.LastUsedAt; !at.Equal(used) || at.Sub(began) > time.Minute {
			t.Errorf("what Berth did by itself counts as use: %v", at)
		}
	})
}
