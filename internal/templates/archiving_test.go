package templates_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// imported is what the runner says of a version in which nothing is.
var imported = builds.Report{Contents: &berth.Contents{}}

// imported pushes a version of dev and imports it.
func (h *house) imported(name string, activate bool) berth.Version {
	h.t.Helper()
	v := h.push(templates.Push{Template: "dev", Name: name, Activate: activate}).Version
	h.finish(imported)
	return v
}

// workspace gives mel a workspace on a version, with a build that had its effect.
func (h *house) workspace(name string, v berth.Version) berth.Workspace {
	h.t.Helper()
	w := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: v.OrganizationID, ProviderID: h.provider.ID, OwnerID: h.mel.UserID, TemplateID: v.TemplateID, Name: name}
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		w.CreatedAt, w.UpdatedAt = tx.Now, tx.Now
		return tx.InsertWorkspace(w, []byte("sealed"))
	}))
	h.build(w, v, 1, true)
	return w
}

// build adds a build that has ended to a workspace; one that was judged was
// allowed to change things.
func (h *house) build(w berth.Workspace, v berth.Version, number int, judged bool) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		b := berth.Build{ID: berth.NewID[berth.Build](), OrganizationID: v.OrganizationID, ProviderID: h.provider.ID, WorkspaceID: w.ID, TemplateID: v.TemplateID,
			VersionID: v.ID, Transition: berth.Start, Reason: berth.ReasonInitiator, InitiatorID: h.mel.UserID, Number: number, CreatedAt: tx.Now}
		if err := tx.InsertBuild(b); err != nil {
			return err
		}
		r, err := tx.Runner("runner")
		if err != nil {
			return err
		}
		b, _, _, err = tx.TakeBuild(r, berth.ClassRefill, time.Minute) // persons' starts come before imports
		if err == nil && judged {
			_, err = tx.AllowBuild(store.Taking{Build: b.ID, Attempt: b.Attempt, Runner: r.ID, Provider: r.ProviderID})
		}
		return errors.Join(err, tx.EndBuild(b.ID, b.Attempt, store.Ended{}))
	}))
}

func TestArchivedVersions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two := h.imported("one", true), h.imported("two", true)
		h.push(templates.Push{Template: "dev", Name: "bad"})
		h.finish(builds.Report{Error: "no", ErrorCode: "terraform"})
		h.push(templates.Push{Template: "dev", Name: "soon"})
		w := h.workspace("web", one)

		refused := func(version, because string, code berth.Code) {
			t.Helper()
			_, err := h.s.ArchiveVersion(ctx, h.admin, "", "dev", version)
			want(t, "archiving "+version, err, code)
			if err != nil && !strings.Contains(err.Error(), because) {
				t.Errorf("archiving %s: %v does not say %q", version, err, because)
			}
		}
		refused(templates.Active, "active version", berth.Conflict)
		refused("one", "mel/web", berth.Conflict)
		refused("soon", "being imported", berth.Conflict)
		refused("nosuch", "no version", berth.NotFound)
		for who, code := range map[*authz.Actor]berth.Code{&h.mel: berth.Forbidden, &h.stranger: berth.NotFound} {
			_, err := h.s.ArchiveVersion(ctx, *who, "", "dev", "bad")
			want(t, who.Username+" archives", err, code)
			_, err = h.s.ArchiveUnused(ctx, *who, "", "dev", true, false)
			want(t, who.Username+" archives all", err, code)
		}

		// A build that was refused brought nothing to the version, but it is the
		// newest; what is there was made by the one before.
		h.build(w, two, 2, false)
		refused("one", "mel/web", berth.Conflict)
		h.build(w, two, 3, true)

		names := func(all, dryRun bool) []string {
			t.Helper()
			got, err := h.s.ArchiveUnused(ctx, h.admin, "", "dev", all, dryRun)
			must(t, err)
			return got
		}
		if diff := cmp.Diff([]string{"bad"}, names(false, true)); diff != "" {
			t.Errorf("failed ones: %s", diff)
		}
		if diff := cmp.Diff([]string{"one", "bad"}, names(true, true)); diff != "" {
			t.Errorf("unused ones: %s", diff)
		}
		if diff := cmp.Diff([]string{"one", "bad"}, names(true, false)); diff != "" {
			t.Errorf("archived: %s", diff)
		}
		if got := names(true, false); len(got) != 0 {
			t.Errorf("archived twice: %v", got)
		}
		list := func(archived bool) (got []string) {
			t.Helper()
			views, _, err := h.s.Versions(ctx, h.mel, "", "dev", archived, "", 0)
			must(t, err)
			for _, v := range views {
				got = append(got, v.Version.Name)
			}
			return got
		}
		if diff := cmp.Diff([]string{"soon", "two"}, list(false)); diff != "" {
			t.Errorf("listed: %s", diff)
		}
		if diff := cmp.Diff([]string{"soon", "bad", "two", "one"}, list(true)); diff != "" {
			t.Errorf("listed with archived ones: %s", diff)
		}
		_, err := h.s.Activate(ctx, h.admin, "", "dev", "one", policies.How{})
		want(t, "activating an archived version", err, berth.Invalid)
		v, err := h.s.UnarchiveVersion(ctx, h.admin, "", "dev", "one")
		must(t, err)
		if !v.Version.ArchivedAt.IsZero() {
			t.Error("it is still archived")
		}
		_, err = h.s.Activate(ctx, h.admin, "", "dev", "one", policies.How{})
		must(t, err)
	})
}

func TestRenameAndLimits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.imported("one", true)
		h.push(templates.Push{Template: "other"})
		_, err := h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{Name: new("other")})
		want(t, "a name that is taken", err, berth.Conflict)
		_, err = h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{Name: new("../x")})
		want(t, "no name", err, berth.Invalid)
		_, err = h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{Workspaces: new(-1)})
		want(t, "a limit below 0", err, berth.Invalid)
		_, err = h.s.Edit(ctx, h.mel, "", "dev", templates.Edit{Name: new("mine")})
		want(t, "a member renames", err, berth.Forbidden)
		v, err := h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{Name: new("Box"), Workspaces: new(3), WorkspacesPerUser: new(1)})
		must(t, err)
		if v.Template.Name != "Box" || v.Template.Limits != (berth.TemplateLimits{Workspaces: 3, WorkspacesPerUser: 1}) {
			t.Errorf("edited: %+v", v.Template)
		}
		_, err = h.s.Get(ctx, h.admin, "", "dev")
		want(t, "the old name", err, berth.NotFound)
		_, err = h.s.Version(ctx, h.mel, "", "box", templates.Active)
		must(t, err)
	})
}

func TestPushesOfTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two := h.upload("one"), h.upload("two")
		try := func(in templates.Push) templates.VersionView {
			t.Helper()
			in.Template, in.IfChanged = "dev", true
			v, err := h.s.Push(ctx, h.admin, in)
			must(t, err)
			if !v.Unchanged {
				h.finish(imported)
			}
			return v
		}
		for i, c := range []struct {
			in        templates.Push
			name      string
			unchanged bool
			files     string
		}{
			{templates.Push{Archive: one, Activate: true}, "v1", false, ""},
			{templates.Push{Archive: one, Activate: true}, "v1", true, ""},
			{templates.Push{Archive: one, Activate: true, Variables: map[string]string{"a": "b"}}, "v2", false, "v1"},
			{templates.Push{Archive: one, Activate: true, Variables: map[string]string{"a": "b"}}, "v2", true, ""},
			{templates.Push{Archive: two}, "v3", false, ""},
			{templates.Push{Archive: two}, "v3", true, ""},
			{templates.Push{Archive: two, Activate: true}, "v4", false, "v3"}, // that one is not active
			{templates.Push{Archive: one, Activate: true}, "v5", false, "v2"},
		} {
			v := try(c.in)
			if v.Version.Name != c.name || v.Unchanged != c.unchanged || v.SameFiles != c.files {
				t.Errorf("push %d: version %s, unchanged %v, the files of %q", i, v.Version.Name, v.Unchanged, v.SameFiles)
			}
		}
		_, err := h.s.Push(ctx, h.mel, templates.Push{Template: "dev", Archive: one, IfChanged: true})
		want(t, "a member asks whether files are the same", err, berth.Forbidden)
	})
}
