package workspaces_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestWhatAnUpdateWouldChange(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		old := contents(berth.Parameter{Name: "size", Default: "1", Mutable: true}, berth.Parameter{Name: "gone", Default: "x"}, berth.Parameter{Name: "zone", Default: "eu", Mutable: true})
		h.push("dev", "v1", old)
		id := h.create(h.mel, "web")
		h.run(fine)
		preview := func(who authz.Actor, version string) workspaces.Update {
			t.Helper()
			u, err := h.workspaces.Update(ctx, who, id, version)
			must(t, err)
			return u
		}
		if u := preview(h.mel, ""); u.Difference.From.ID != u.Difference.To.ID || len(u.Steps)+len(u.Open)+len(u.Difference.Changes) != 0 || u.Refused != "" {
			t.Errorf("one that is up to date: %+v", u)
		}
		h.push("dev", "v2", old)
		_, err := h.templates.Push(ctx, h.admin, templates.Push{Template: "dev", Archive: h.archive("broken"), Name: "broken"})
		must(t, err)
		h.run(builds.Report{Error: "no", ErrorCode: "terraform"})
		now := contents(berth.Parameter{Name: "size", Default: "1", Mutable: true},
			berth.Parameter{Name: "zone", Default: "us", Mutable: true, Options: []berth.ParameterOption{{Value: "us"}, {Value: "asia"}}},
			berth.Parameter{Name: "repo", Required: true})
		now.Resources = now.Resources[1:]
		h.push("dev", "v3", now)

		u := preview(h.mel, "")
		var steps, open []string
		for _, s := range u.Steps {
			steps = append(steps, s.Version.Name)
		}
		for _, o := range u.Open {
			open = append(open, o.Question.Name)
		}
		if diff := cmp.Diff([]string{"v3", "v2"}, steps); diff != "" {
			t.Errorf("versions between: %s", diff)
		}
		if diff := cmp.Diff([]string{"repo", "zone"}, open); diff != "" || !u.Open[0].New || u.Open[1].New {
			t.Errorf("open questions: %s %+v", diff, u.Open)
		}
		if diff := cmp.Diff([][]string{{"gone"}, {"docker_volume.home"}}, [][]string{u.Drops, u.Destroys}); diff != "" {
			t.Errorf("drops, destroys: %s", diff)
		}
		if len(u.Difference.Changes) == 0 || !u.Difference.Hidden || u.Difference.Files != nil {
			t.Errorf("what a member is told: %+v", u.Difference)
		}
		if got := preview(h.admin, ""); len(got.Difference.Files) != 1 {
			t.Errorf("who may change the template sees %d files", len(got.Difference.Files))
		}
		if u := preview(h.mel, "v2"); u.Difference.To.Name != "v2" || len(u.Open) != 0 || u.Refused != "" {
			t.Errorf("another version: %+v", u)
		}
		if u := preview(h.mel, "broken"); u.Refused == "" {
			t.Error("a version that failed to import is not refused")
		}
		_, err = h.workspaces.Update(ctx, h.mel, id, "nosuch")
		want(t, "no such version", err, berth.NotFound)
		_, err = h.workspaces.Update(ctx, h.eve, id, "")
		want(t, "somebody else", err, berth.NotFound)

		// What is told is what happens.
		want(t, "an update without answers", h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Restart, Update: true}), berth.Invalid)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Restart, Update: true, Parameters: map[string]string{"zone": "us", "repo": "x"}}))
	})
}

// Who lost the template keeps the workspace, and is not told what others make of
// the template.
func TestAnUpdateTellsNothingOfATemplateThatIsHidden(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		id := h.create(h.mel, "web")
		h.run(fine)
		h.push("dev", "v2", contents(berth.Parameter{Name: "secretplan", Default: "x"}))
		private := true
		_, err := h.templates.Edit(t.Context(), h.admin, "", "dev", templates.Edit{Private: &private})
		must(t, err)
		u, err := h.workspaces.Update(t.Context(), h.mel, id, "")
		must(t, err)
		if u.Difference.Changes != nil || u.Steps != nil || u.Difference.Files != nil || !u.Difference.Hidden || u.Difference.To.Name != "v2" {
			t.Errorf("told: %+v", u)
		}
	})
}
