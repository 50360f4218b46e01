package templates_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
	"github.com/berthdev/berth/internal/templates"
)

// house is the use cases around templates, with a runner that says what an
// import found.
type house struct {
	t          *testing.T
	db         *store.DB
	queue      *builds.Queue
	s          *templates.Service
	provider   berth.Provider
	admin, mel authz.Actor
	stranger   authz.Actor // member of no organization
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		db := open(t)
		keys, err := seal.Load(t.TempDir())
		must(t, err)
		h := &house{t: t, db: db, queue: builds.New(db, keys, builds.Kinds{}, builds.Options{})}
		h.s = templates.New(db, keys, h.queue)
		h.s.SetEnv(map[string]string{"CODER_AGENT_URL": "http://berth.test"})
		h.queue.SetKinds(builds.Kinds{Import: h.s.Kind()})
		must(t, accounts.New(db).EnsureDefaults(t.Context()))
		must(t, providers.New(db).EnsureBuiltIn(t.Context(), nil))
		h.admin = h.person("tam", true, berth.RoleTemplateAdmin)
		h.mel = h.person("mel", true)
		h.stranger = h.person("eve", false)
		must(t, db.Read(t.Context(), func(q *store.Query) error {
			h.provider, err = q.ProviderRef("")
			return err
		}))
		_, err = h.queue.Hello(t.Context(), h.provider.ID, builds.Hello{Runner: "runner", Slots: 4})
		must(t, err)
		test(t, h)
	})
}

func (h *house) person(name string, member bool, roles ...berth.Role) authz.Actor {
	h.t.Helper()
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: roles}
	var orgs []berth.OrganizationID
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		if err := tx.InsertUser(u, ""); err != nil || !member {
			return err
		}
		o, err := tx.OrganizationRef("")
		orgs = []berth.OrganizationID{o.ID}
		return errors.Join(err, tx.AddMember(o.ID, u.ID))
	}))
	return authz.User(authz.Who{User: u}.In(orgs...), authz.ScopeAll)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, what string, err error, code berth.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func archive(t *testing.T, text string) io.Reader {
	t.Helper()
	return tarOf(t, map[string]string{"main.tf": text})
}

func tarOf(t *testing.T, files map[string]string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range files {
		must(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}))
		_, err := io.WriteString(w, text)
		must(t, err)
	}
	must(t, w.Close())
	return &out
}

func (h *house) upload(text string) string {
	h.t.Helper()
	a, err := h.s.Upload(h.t.Context(), h.admin, archive(h.t, text))
	must(h.t, err)
	return a.Hash
}

func (h *house) push(in templates.Push) templates.VersionView {
	h.t.Helper()
	if in.Archive == "" {
		in.Archive = h.upload("# template")
	}
	v, err := h.s.Push(h.t.Context(), h.admin, in)
	must(h.t, err)
	return v
}

// take gives the next import to the runner.
func (h *house) take() (*builds.Job, builds.Call) {
	h.t.Helper()
	j, err := h.queue.Take(h.t.Context(), h.provider.ID, "runner", 0, true)
	must(h.t, err)
	if j == nil {
		h.t.Fatal("there is nothing to take")
	}
	return j, builds.Call{Provider: h.provider.ID, Runner: "runner", Build: j.Build.ID, Attempt: j.Build.Attempt}
}

func (h *house) finish(r builds.Report) {
	h.t.Helper()
	_, c := h.take()
	must(h.t, h.queue.Finish(h.t.Context(), c, r))
}

func TestPushAndImport(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		v := h.push(templates.Push{Template: "dev", Message: "first", Variables: map[string]string{"secret": "s3cret"}, Activate: true})
		if v.Version.Name != "v1" || v.Template != "dev" || v.Active || v.Build.Status() != berth.BuildPending {
			t.Errorf("pushed: %+v", v)
		}
		_, err := h.s.Version(ctx, h.mel, "", "dev", templates.Active)
		want(t, "no active version yet", err, berth.NotFound)
		_, err = h.s.Activate(ctx, h.admin, "", "dev", "v1", policies.How{})
		want(t, "activating before the import", err, berth.Conflict)
		j, c := h.take()
		if j.Variables["secret"] != "s3cret" || j.Env["CODER_AGENT_URL"] == "" || j.Archive != v.Version.Archive {
			t.Errorf("the import's job: %+v", j.Input)
		}
		if _, err := h.s.RunnerArchive(ctx, h.provider.ID, j.Archive); err != nil {
			t.Errorf("the runner cannot read the archive: %v", err)
		}
		_, err = h.s.RunnerArchive(ctx, berth.NewID[berth.Provider](), j.Archive)
		want(t, "another provider's archive", err, berth.NotFound)
		found := berth.Contents{Readme: "<script>alert(1)</script>\x00", Agents: []string{"main"}, Parameters: []berth.Parameter{{Name: "size"}}}
		must(t, h.queue.Finish(ctx, c, builds.Report{Contents: &found}))
		got, err := h.s.Version(ctx, h.mel, "default", "DEV", templates.Active)
		must(t, err)
		if diff := cmp.Diff(found, got.Version.Contents); diff != "" || !got.Active || got.Build.Status() != berth.BuildSucceeded {
			t.Errorf("imported: active %v, %s: %s", got.Active, got.Build.Status(), diff)
		}
		if got.Version.Variables != nil {
			t.Error("the values of variables are shown")
		}
		_, err = h.s.RunnerArchive(ctx, h.provider.ID, j.Archive)
		want(t, "an archive that no build needs", err, berth.NotFound)
		list, next, err := h.s.List(ctx, h.mel, "", "", 0)
		if err != nil || next != "" || len(list) != 1 || list[0].ActiveVersion != "v1" || list[0].CreatedBy != "tam" || list[0].Organization != "default" {
			t.Errorf("list: %+v, %v", list, err)
		}
	})
}

func TestImportsThatDoNotSucceed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.push(templates.Push{Template: "dev", Activate: true})
		h.finish(builds.Report{Error: "main.tf:3: syntax error", ErrorCode: "terraform"})
		_, err := h.s.Activate(ctx, h.admin, "", "dev", "v1", policies.How{})
		want(t, "a failed version", err, berth.Invalid)
		h.push(templates.Push{Template: "dev", Activate: true})
		h.finish(builds.Report{})
		v, err := h.s.Version(ctx, h.admin, "", "dev", "v2")
		must(t, err)
		if v.Build.Status() != berth.BuildFailed || v.Active {
			t.Errorf("an import without contents: %s, active %v", v.Build.Status(), v.Active)
		}
	})
}

// What an import resolved is kept with the version, for runners of its builds
// alone; what is no such archive is refused with the import.
func TestVersionsCarryWhatTheirImportResolved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lock := packed(t, ".terraform.lock.hcl", "# locked")
		h.push(templates.Push{Template: "dev", Activate: true})
		h.finish(builds.Report{Contents: &berth.Contents{}, Carried: lock})
		v, err := h.s.Version(t.Context(), h.admin, "", "dev", "v1")
		must(t, err)
		if v.Build.Status() != berth.BuildSucceeded || len(v.Version.Carried) != 64 {
			t.Errorf("%s, carried %q", v.Build.Status(), v.Version.Carried)
		}
		_, err = h.s.RunnerArchive(t.Context(), h.provider.ID, v.Version.Carried)
		want(t, "what no build needs", err, berth.NotFound)
		h.push(templates.Push{Template: "dev", Activate: true})
		h.finish(builds.Report{Contents: &berth.Contents{}, Carried: packed(t, "main.tf", "hostile")})
		v, err = h.s.Version(t.Context(), h.admin, "", "dev", "v2")
		must(t, err)
		if v.Build.ErrorCode != berth.FailedResult || v.Active || v.Version.Carried != "" {
			t.Errorf("hostile: %s, active %v, carried %q", v.Build.ErrorCode, v.Active, v.Version.Carried)
		}
	})
}

// packed is a tar of one file.
func packed(t *testing.T, name, text string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
	_, err := w.Write([]byte(text))
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

// TestALateImportDoesNotWin: of two pushes the later one ends up active,
// whichever import ends first.
func TestALateImportDoesNotWin(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push(templates.Push{Template: "dev", Activate: true})
		h.push(templates.Push{Template: "dev", Activate: true})
		_, first := h.take()
		_, second := h.take()
		must(t, h.queue.Finish(t.Context(), second, builds.Report{Contents: &berth.Contents{}}))
		must(t, h.queue.Finish(t.Context(), first, builds.Report{Contents: &berth.Contents{}}))
		v, err := h.s.Version(t.Context(), h.mel, "", "dev", templates.Active)
		if err != nil || v.Version.Name != "v2" {
			t.Errorf("active is %s, %v", v.Version.Name, err)
		}
		if v, err = h.s.Activate(t.Context(), h.admin, "", "dev", "v1", policies.How{}); err != nil || !v.Active {
			t.Errorf("going back: %v", err)
		}
	})
}

func TestPushesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		hash := h.upload("# template")
		names, errs := make([]string, 5), make([]error, 5)
		var wg sync.WaitGroup
		for i := range names {
			wg.Go(func() {
				v, err := h.s.Push(t.Context(), h.admin, templates.Push{Template: "dev", Archive: hash})
				names[i], errs[i] = v.Version.Name, err
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for i, err := range errs {
			if err != nil || seen[names[i]] {
				t.Errorf("push %d: %q, %v", i, names[i], err)
			}
			seen[names[i]] = true
		}
	})
}

func TestPushIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, hash := t.Context(), h.upload("# template")
		for _, c := range []struct {
			name string
			who  authz.Actor
			in   templates.Push
			code berth.Code
		}{
			{"nobody", authz.Actor{}, templates.Push{Template: "dev", Archive: hash}, berth.Unauthenticated},
			{"a member", h.mel, templates.Push{Template: "dev", Archive: hash}, berth.Forbidden},
			{"no name", h.admin, templates.Push{Archive: hash}, berth.Invalid},
			{"a bad name", h.admin, templates.Push{Template: "my template", Archive: hash}, berth.Invalid},
			{"a bad version", h.admin, templates.Push{Template: "dev", Name: "v 1", Archive: hash}, berth.Invalid},
			{"a version named active", h.admin, templates.Push{Template: "dev", Name: "active", Archive: hash}, berth.Invalid},
			{"no archive", h.admin, templates.Push{Template: "dev"}, berth.Invalid},
			{"an unknown archive", h.admin, templates.Push{Template: "dev", Archive: strings.Repeat("0", 64)}, berth.Invalid},
			{"an unknown provider", h.admin, templates.Push{Template: "dev", Archive: hash, Provider: "moon"}, berth.Invalid},
			{"an unknown organization", h.admin, templates.Push{Organization: "acme", Template: "dev", Archive: hash}, berth.NotFound},
			{"an unknown id", h.admin, templates.Push{Template: string(berth.NewID[berth.Template]()), Archive: hash}, berth.NotFound},
			{"huge variables", h.admin, templates.Push{Template: "dev", Archive: hash, Variables: map[string]string{"x": strings.Repeat("x", 2<<20)}}, berth.Invalid},
		} {
			_, err := h.s.Push(ctx, c.who, c.in)
			want(t, c.name, err, c.code)
		}
		h.push(templates.Push{Template: "dev", Name: "one", Archive: hash})
		_, err := h.s.Push(ctx, h.admin, templates.Push{Template: "dev", Name: "ONE", Archive: hash})
		want(t, "a version of the same name", err, berth.Conflict)
		_, err = h.s.Upload(ctx, h.mel, archive(t, "# x"))
		want(t, "a member uploads", err, berth.Forbidden)
		_, err = h.s.Upload(ctx, authz.Actor{}, archive(t, "# x"))
		want(t, "nobody uploads", err, berth.Unauthenticated)
	})
}

func TestOthersTemplates(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.push(templates.Push{Template: "dev"})
		title := "x"
		for name, call := range map[string]func(who authz.Actor, template string) error{
			"get": func(who authz.Actor, n string) error { _, err := h.s.Get(ctx, who, "", n); return err },
			"versions": func(who authz.Actor, n string) error {
				_, _, err := h.s.Versions(ctx, who, "", n, false, "", 0)
				return err
			},
			"version": func(who authz.Actor, n string) error { _, err := h.s.Version(ctx, who, "", n, "v1"); return err },
			"archive": func(who authz.Actor, n string) error { _, err := h.s.Archive(ctx, who, "", n, "v1"); return err },
			"edit": func(who authz.Actor, n string) error {
				_, err := h.s.Edit(ctx, who, "", n, templates.Edit{DisplayName: &title})
				return err
			},
			"activate": func(who authz.Actor, n string) error {
				_, err := h.s.Activate(ctx, who, "", n, "v1", policies.How{})
				return err
			},
			"delete": func(who authz.Actor, n string) error { return h.s.Delete(ctx, who, "", n) },
		} {
			want(t, "a stranger: "+name, call(h.stranger, "dev"), berth.NotFound)
			want(t, "a missing one: "+name, call(h.admin, "nix\x00"), berth.NotFound)
			want(t, "nobody: "+name, call(authz.Actor{}, "dev"), berth.Unauthenticated)
			if name != "get" && name != "versions" && name != "version" {
				want(t, "a member: "+name, call(h.mel, "dev"), berth.Forbidden)
			}
		}
		if list, _, err := h.s.List(ctx, h.stranger, "", "", 0); err != nil || len(list) != 0 {
			t.Errorf("a stranger lists %d templates, %v", len(list), err)
		}
		data, err := h.s.Archive(ctx, h.admin, "", "dev", "v1")
		if err != nil || !bytes.Contains(data, []byte("# template")) {
			t.Errorf("the source: %d bytes, %v", len(data), err)
		}
	})
}

func TestEditAndDelete(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.push(templates.Push{Template: "dev"})
		title, evil := "Development\x00", "JavaScript:alert(1)"
		v, err := h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{DisplayName: &title})
		if err != nil || !strings.HasPrefix(v.Template.DisplayName, "Development") {
			t.Errorf("edited: %+v, %v", v, err)
		}
		_, err = h.s.Edit(ctx, h.admin, "", "dev", templates.Edit{Icon: &evil})
		want(t, "an icon that is a script", err, berth.Invalid)
		must(t, h.db.Write(ctx, func(tx *store.Tx) error {
			return tx.InsertWorkspace(berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: v.Template.OrganizationID, ProviderID: h.provider.ID,
				OwnerID: h.mel.UserID, TemplateID: v.Template.ID, Name: "box", CreatedAt: tx.Now, UpdatedAt: tx.Now}, []byte("key"))
		}))
		err = h.s.Delete(ctx, h.admin, "", "dev")
		if want(t, "a template with workspaces", err, berth.Conflict); !strings.Contains(berth.ErrorMessage(err), "mel/box") {
			t.Errorf("the refusal does not say which: %v", err)
		}
		must(t, h.db.Write(ctx, func(tx *store.Tx) error {
			w, err := tx.WorkspaceNamed(h.mel.UserID, "box")
			return errors.Join(err, tx.DeleteWorkspace(w.ID))
		}))
		must(t, h.s.Delete(ctx, h.admin, "", "dev"))
		must(t, h.db.Read(ctx, func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{})
			left := map[string]berth.Audit{}
			for _, r := range rows {
				left[r.Action+" "+r.Kind] = r
			}
			if r := left["delete template"]; r.TargetName != "dev" || r.OrganizationID == "" || r.Changes["name"].Old != "dev" {
				t.Errorf("the record of the deletion: %+v", r)
			}
			if r := left["upload archive"]; r.TargetID == "" || r.Detail["files"] == nil {
				t.Errorf("the record of the upload: %+v", r)
			}
			return err
		}))
		_, err = h.s.Get(ctx, h.admin, "", "dev")
		want(t, "a deleted template", err, berth.NotFound)
		h.finish(builds.Report{Contents: &berth.Contents{}}) // its import may still end
		if v := h.push(templates.Push{Template: "dev"}); v.Version.TemplateID == "" {
			t.Error("the name of a deleted template is taken")
		}
	})
}
