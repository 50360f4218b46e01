package schedules_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// edit changes the policy of the template as its admin would.
func (h *house) edit(p templates.PolicyEdit, how policies.How) (berth.Effects, error) {
	h.Helper()
	v, err := h.templates.Edit(h.Context(), h.admin, "", "dev", templates.Edit{Policy: p, How: how})
	if err != nil || v.Effects == nil {
		return berth.Effects{}, err
	}
	return *v.Effects, nil
}

// wants has an edit that does harm be refused, tells what a dry run says of it,
// and makes it.
func (h *house) wants(p templates.PolicyEdit, how policies.How) berth.Effects {
	h.Helper()
	before := h.present()
	var e *berth.Error
	if _, err := h.edit(p, how); !errors.As(err, &e) || e.Code != berth.Conflict || e.Field != "confirm" {
		h.Fatalf("an edit that does harm ended with %v", err)
	}
	first := how
	first.DryRun = true
	effects, err := h.edit(p, first)
	must(h.T, err)
	if h.present() != before {
		h.Fatal("a dry run, or a refused edit, changed something")
	}
	how.Confirm = true
	_, err = h.edit(p, how)
	must(h.T, err)
	return effects
}

func (h *house) present() (p berth.TemplatePolicy) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) error {
		t, err := q.Template(h.template.ID)
		p = t.Policy
		return err
	}))
	return p
}

func (h *house) undo(how policies.How) error {
	_, err := h.templates.Undo(h.Context(), h.admin, "", "dev", how)
	return err
}

// pass lets time pass, the rules being asked each minute.
func (h *house) pass(d time.Duration) (did int64) {
	h.Helper()
	for range d / time.Minute {
		time.Sleep(time.Minute)
		did += h.tick()
	}
	return did
}

// builds is the transitions of a workspace's builds, the newest last.
func (h *house) builds(id berth.WorkspaceID) (all []berth.Transition) {
	h.Helper()
	views, _, err := h.workspaces.Builds(h.Context(), h.admin, id, "", 50)
	must(h.T, err)
	for _, v := range slices.Backward(views) {
		all = append(all, v.Build.Transition)
	}
	return all
}

// for8h has the template stop its workspaces 8 hours after a start, whatever
// their owners say.
func (h *house) for8h() {
	h.Helper()
	_, err := h.edit(templates.PolicyEdit{DefaultTTL: new(8 * time.Hour), ActivityBump: new(time.Duration(0)), AllowUserAutostop: new(false),
		AutostopNotify: new(time.Duration(0))}, policies.How{})
	must(h.T, err)
}

func TestAnEditReachesRunsAtTheirNextStart(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.for8h()
		id := h.running("web")
		effects, err := h.edit(templates.PolicyEdit{DefaultTTL: new(time.Hour)}, policies.How{})
		must(t, err)
		if effects.Harm() || effects.NextStart != 1 {
			t.Errorf("said %+v", effects)
		}
		if did := h.pass(7*time.Hour + 59*time.Minute); did != 0 {
			t.Errorf("%d things were done to a run that the edit does not reach", did)
		}
		if h.pass(2*time.Minute) != 1 {
			t.Error("it was not stopped as it began")
		}
		h.run(builds.Report{})
		_, err = h.workspaces.Build(t.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Start})
		must(t, err)
		h.run(builds.Report{})
		if h.pass(59*time.Minute) != 0 || h.pass(2*time.Minute) != 1 {
			t.Error("the next run is not stopped after an hour")
		}
	})
}

func TestAnEditForNowIsToldAndWaitsAnHour(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.for8h()
		h.running("web")
		h.pass(3 * time.Hour)
		at := time.Now()
		effects := h.wants(templates.PolicyEdit{DefaultTTL: new(time.Hour)}, policies.How{Now: true})
		if s := effects.Stops; s.Count != 1 || len(s.Some) != 1 || s.Some[0].Name != "web" || s.Some[0].Owner != "mel" || s.First.Sub(at) != time.Hour ||
			s.Some[0].Was.Sub(at) != 5*time.Hour || s.Some[0].Why != "1 h after its start" || effects.Sleeps.Count+effects.Deletes.Count != 0 {
			t.Errorf("said %+v", effects)
		}
		if h.pass(59*time.Minute) != 0 {
			t.Error("it was stopped within the hour in which the edit can be taken back")
		}
		must(t, h.undo(policies.How{}))
		if h.pass(3*time.Hour) != 0 {
			t.Error("it was stopped by an edit that was taken back")
		}
		if err := h.undo(policies.How{DryRun: true}); err != nil {
			t.Errorf("the edit before cannot be taken back: %v", err)
		}

		at = time.Now()
		effects = h.wants(templates.PolicyEdit{DefaultTTL: new(2 * time.Hour)}, policies.How{Now: true})
		h.pass(effects.Stops.First.Sub(at) - time.Minute)
		must(t, func() error {
			_, err := h.edit(templates.PolicyEdit{ActivityBump: new(time.Hour)}, policies.How{})
			return err
		}())
		if h.pass(2*time.Minute) != 1 {
			t.Error("it was not stopped when the dry run said")
		}
	})
}

// What was put on a run says nothing of later edits.
func TestAnEditForNowOpensNoDoorToOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.for8h()
		h.running("web")
		h.pass(time.Hour)
		_, err := h.edit(templates.PolicyEdit{DefaultTTL: new(10 * time.Hour)}, policies.How{Now: true})
		must(t, err)
		h.pass(2 * time.Hour)
		effects, err := h.edit(templates.PolicyEdit{DefaultTTL: new(time.Hour)}, policies.How{})
		must(t, err)
		if effects.Harm() || effects.NextStart != 1 {
			t.Errorf("said %+v", effects)
		}
		if h.pass(6*time.Hour+58*time.Minute) != 0 || h.pass(3*time.Minute) != 1 {
			t.Error("it was not stopped 10 hours after its start")
		}
	})
}

func TestAnEditOfDormancyIsToldAndWaitsAnHour(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.stopped("old")
		h.pass(5 * time.Hour)
		fresh := h.stopped("new")
		at := time.Now()
		effects := h.wants(templates.PolicyEdit{DormancyThreshold: new(4 * time.Hour), DormancyAutoDeletion: new(240 * time.Hour)}, policies.How{})
		if s := effects.Sleeps; s.Count != 2 || s.First.Sub(at) != time.Hour || s.Some[0].WorkspaceID != id || s.Some[1].WorkspaceID != fresh ||
			effects.Deletes.Count != 2 || effects.Deletes.First.Sub(at) != 241*time.Hour {
			t.Errorf("said %+v", effects)
		}
		if h.pass(58*time.Minute) != 0 || h.pass(3*time.Minute) != 1 || !h.facts(id).Workspace.Dormant() || h.facts(fresh).Workspace.Dormant() {
			t.Error("the old one does not sleep an hour later, or others do")
		}
		must(t, func() error {
			var e *berth.Error
			if err := h.undo(policies.How{}); !errors.As(err, &e) || e.Field != "confirm" {
				t.Errorf("an edit that has done something was taken back: %v", err)
			}
			return h.undo(policies.How{DryRun: true})
		}())

		// Sooner deletions are told, and wait for a week after the notice.
		at = time.Now()
		effects = h.wants(templates.PolicyEdit{DormancyAutoDeletion: new(24 * time.Hour)}, policies.How{})
		if d := effects.Deletes; d.Count != 2 || d.Some[0].WorkspaceID != id || d.First.Before(at.Add(24*time.Hour-time.Second)) ||
			!d.Some[0].Was.Equal(h.facts(id).Workspace.DeletingAt) || d.Some[0].Why != "unless somebody wakes it" {
			t.Errorf("said %+v", effects)
		}
		h.tick()
		if got := h.facts(id).Workspace.DeletingAt; got.Sub(effects.Deletes.First).Abs() > 2*time.Second {
			t.Errorf("it is deleted at %v, the dry run said %v", got, effects.Deletes.First)
		}
		must(t, h.undo(policies.How{}))
		h.pass(48 * time.Hour)
		if got := h.builds(id); got[len(got)-1] == berth.Delete {
			t.Error("it was deleted by an edit that was taken back")
		}
	})
}

func TestANewVersionIsRolledOutAsItWasTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.running("web")
		_, err := h.edit(templates.PolicyEdit{Rollout: new(berth.RolloutWhenIdle)}, policies.How{})
		must(t, err)
		h.pass(2 * time.Hour)
		old := h.facts(id).Run.VersionID
		_, err = h.templates.Push(t.Context(), h.admin, templates.Push{Template: "dev", Archive: h.archive(old), Name: "v2", Activate: true})
		var e *berth.Error
		if !errors.As(err, &e) || e.Field != "confirm" {
			t.Errorf("a push that stops what runs ended with %v", err)
		}
		_, err = h.templates.Push(t.Context(), h.admin, templates.Push{Template: "dev", Archive: h.archive(old), Name: "v2"})
		must(t, err)
		h.run(builds.Report{Contents: &berth.Contents{}})
		dry, err := h.templates.Activate(t.Context(), h.admin, "", "dev", "v2", policies.How{DryRun: true})
		must(t, err)
		if dry.Active || dry.Effects.Stops.Count != 1 {
			t.Errorf("said %+v", dry.Effects)
		}
		if h.pass(time.Hour) != 0 {
			t.Error("a dry run stopped something")
		}
		_, err = h.templates.Activate(t.Context(), h.admin, "", "dev", "v2", policies.How{Confirm: true})
		must(t, err)
		if h.pass(20*time.Minute) != 1 {
			t.Error("it was not stopped")
		}
	})
}

func TestAnEditOfAnOrganizationIsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tenants := organizations.New(h.db)
		tenants.SetGuard(h.schedules)
		h.for8h()
		_, err := h.edit(templates.PolicyEdit{DefaultTTL: new(time.Duration(0))}, policies.How{})
		must(t, err)
		h.running("web")
		h.pass(3 * time.Hour)
		off := 2 * time.Hour
		e := organizations.Edit{AutoOff: &off}
		done, err := tenants.Edit(t.Context(), h.admin, "", e)
		must(t, err)
		if done.Effects.Harm() || done.Effects.NextStart != 1 || h.pass(2*time.Hour) != 0 {
			t.Errorf("said %+v", done.Effects)
		}
		e.How.Now = true
		if _, err = tenants.Edit(t.Context(), h.admin, "", e); !errors.Is(err, berth.Conflict) {
			t.Errorf("an edit that does harm ended with %v", err)
		}
		e.How.Confirm = true
		_, err = tenants.Edit(t.Context(), h.admin, "", e)
		must(t, err)
		if h.pass(58*time.Minute) != 0 {
			t.Error("it was stopped within the hour")
		}
		for range 2 {
			_, err = tenants.Undo(t.Context(), h.admin, "", policies.How{})
			must(t, err)
		}
		if h.pass(3*time.Hour) != 0 {
			t.Error("it was stopped by an edit that was taken back")
		}
		if _, err = tenants.Undo(t.Context(), h.admin, "", policies.How{}); !errors.Is(err, berth.Conflict) {
			t.Errorf("nothing was taken back: %v", err)
		}
	})
}

// archive is the archive of a version.
func (h *house) archive(id berth.VersionID) (hash string) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) error {
		v, err := q.Version(id)
		hash = v.Archive
		return err
	}))
	return hash
}

func TestAnEditOfNothingIsNotWhatAnUndoTakesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		before := h.present()
		for range 2 { // the second one changes nothing
			_, err := h.edit(templates.PolicyEdit{DefaultTTL: new(3 * time.Hour)}, policies.How{})
			must(t, err)
		}
		must(t, h.undo(policies.How{}))
		if after := h.present(); after != before {
			t.Errorf("taken back: %+v, and before the edit it was %+v", after, before)
		}
	})
}
