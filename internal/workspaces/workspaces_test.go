package workspaces_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

func TestALife(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, err := h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev", Reason: berth.ReasonCLI})
		must(t, err)
		if v.Status != berth.StatusPending || v.Build.Waits == "" || v.Owner.Username != "mel" || v.Build.Workspace != "mel/box" || v.Build.Version != "v1" {
			t.Errorf("a new workspace: %+v", v)
		}
		h.finishStart(1)
		id := v.Workspace.ID
		see := func() workspaces.View {
			t.Helper()
			v, err := h.workspaces.Find(t.Context(), h.mel, "me", "BOX")
			must(t, err)
			return v
		}
		v = see()
		if v.Status != berth.StatusRunning || len(v.Agents) != 1 || !v.Agents[0].Blocks || !v.Healthy {
			t.Errorf("a running workspace: %+v", v)
		}
		if r := v.Build.Resources; len(r) != 1 || r[0].Metadata[0].Value != "debian" {
			t.Errorf("what it has, and what the template says of that: %+v", r)
		}
		if diff := cmp.Diff([]string{"docker_volume.home"}, v.Workspace.Persistent); diff != "" {
			t.Errorf("persistent after a start: %s", diff)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		h.run(stopped(2))
		if v = see(); v.Status != berth.StatusStopped || len(v.Agents) != 0 {
			t.Errorf("a stopped workspace: %s, %d agents", v.Status, len(v.Agents))
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		h.finishStart(3)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Delete}))
		h.run(builds.Report{Lineage: "L", Serial: 4, State: []byte(`{}`)})
		_, err = h.workspaces.Get(t.Context(), h.mel, id)
		want(t, "a deleted workspace", err, berth.NotFound)
		if _, err = h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev"}); err != nil {
			t.Errorf("the name of a deleted workspace is taken: %v", err)
		}
	})
}

func TestCreateIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents(berth.Parameter{Name: "region", Type: "string", Required: true}))
		ok := workspaces.Create{Name: "box", Template: "dev", Parameters: map[string]string{"region": "eu"}}
		for _, c := range []struct {
			name  string
			who   authz.Actor
			edit  func(*workspaces.Create)
			code  berth.Code
			field string
		}{
			{"nobody", authz.Actor{}, func(*workspaces.Create) {}, berth.Unauthenticated, ""},
			{"no name", h.mel, func(c *workspaces.Create) { c.Name = "" }, berth.Invalid, "name"},
			{"a long name", h.mel, func(c *workspaces.Create) { c.Name = strings.Repeat("x", 33) }, berth.Invalid, "name"},
			{"a name in Greek", h.mel, func(c *workspaces.Create) { c.Name = "κουτί" }, berth.Invalid, "name"},
			{"no such template", h.mel, func(c *workspaces.Create) { c.Template = "prod" }, berth.NotFound, ""},
			{"a template with a NUL", h.mel, func(c *workspaces.Create) { c.Template = "a\x00b" }, berth.NotFound, ""},
			{"no such version", h.mel, func(c *workspaces.Create) { c.Version = "v9" }, berth.Invalid, "version"},
			{"no such provider", h.mel, func(c *workspaces.Create) { c.Provider = "moon" }, berth.Invalid, "provider"},
			{"no such preset", h.mel, func(c *workspaces.Create) { c.Preset = "huge" }, berth.Invalid, "preset"},
			{"for somebody else", h.mel, func(c *workspaces.Create) { c.Owner = "eve" }, berth.Forbidden, ""},
			{"for nobody, in the same words", h.mel, func(c *workspaces.Create) { c.Owner = "ghost" }, berth.Forbidden, ""},
			{"for nobody, by who may", h.owner, func(c *workspaces.Create) { c.Owner = "ghost" }, berth.Invalid, "owner"},
			{"for prebuilds", h.owner, func(c *workspaces.Create) { c.Owner = "prebuilds" }, berth.Invalid, "owner"},
			{"another's reason", h.mel, func(c *workspaces.Create) { c.Reason = berth.ReasonAutostart }, berth.Invalid, "reason"},
			{"a missing answer", h.mel, func(c *workspaces.Create) { c.Parameters = nil }, berth.Invalid, "parameters.region"},
			{"an unknown answer", h.mel, func(c *workspaces.Create) { c.Parameters = map[string]string{"x": "1"} }, berth.Invalid, "parameters.x"},
			{"an answer with a NUL", h.mel, func(c *workspaces.Create) { c.Parameters = map[string]string{"region": "a\x00"} }, berth.Invalid, "parameters.region"},
			{"a huge answer", h.mel, func(c *workspaces.Create) { c.Parameters = map[string]string{"region": strings.Repeat("x", 1<<20)} }, berth.Invalid, "parameters.region"},
		} {
			in := ok
			c.edit(&in)
			_, err := h.workspaces.Create(t.Context(), c.who, in)
			if !errors.Is(err, c.code) || field(err) != c.field {
				t.Errorf("%s: got %v (%s), want %s %s", c.name, err, field(err), c.code, c.field)
			}
		}
		_, err := h.workspaces.Create(t.Context(), h.mel, ok)
		must(t, err)
		again := ok
		again.Name = "BOX"
		_, err = h.workspaces.Create(t.Context(), h.mel, again)
		want(t, "a name that is taken", err, berth.Conflict)
		if _, err := h.workspaces.Create(t.Context(), h.eve, ok); err != nil {
			t.Errorf("the name of somebody else's workspace: %v", err)
		}
		again.Owner, again.Name = "mel", "other"
		if v, err := h.workspaces.Create(t.Context(), h.owner, again); err != nil || v.Owner.Username != "mel" {
			t.Errorf("the owner of the site makes one for mel: %v", err)
		}
	})
}

func TestOneNameIsGivenOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = h.workspaces.Create(t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev"})
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				want(t, "a name at once", err, berth.Conflict)
			}
		}
		if made != 1 {
			t.Errorf("%d workspaces were made", made)
		}
	})
}

// TestOthersWorkspaces: what belongs to somebody else is answered like what is
// not there, in every use case.
func TestOthersWorkspaces(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id, build := v.Workspace.ID, v.Build.Build.ID
		ws, ctx := h.workspaces, t.Context()
		calls := map[string]func(who authz.Actor, id berth.WorkspaceID, build berth.BuildID) error{
			"get": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.Get(ctx, who, id)
				return err
			},
			"rename": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.Edit(ctx, who, id, workspaces.Edit{Name: new("x")})
				return err
			},
			"start": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				return h.build(who, id, workspaces.BuildInput{Transition: berth.Start})
			},
			"delete": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				return h.build(who, id, workspaces.BuildInput{Transition: berth.Delete})
			},
			"builds": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, _, err := ws.Builds(ctx, who, id, "", 0)
				return err
			},
			"number": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.BuildNumber(ctx, who, id, 1)
				return err
			},
			"build": func(who authz.Actor, _ berth.WorkspaceID, b berth.BuildID) error {
				_, err := ws.GetBuild(ctx, who, b)
				return err
			},
			"cancel": func(who authz.Actor, _ berth.WorkspaceID, b berth.BuildID) error {
				_, err := ws.Cancel(ctx, who, b, true, "")
				return err
			},
			"abandon": func(who authz.Actor, _ berth.WorkspaceID, b berth.BuildID) error {
				_, err := ws.Abandon(ctx, who, b)
				return err
			},
			"logs": func(who authz.Actor, _ berth.WorkspaceID, b berth.BuildID) error {
				_, err := ws.Logs(ctx, who, b, 0, 10)
				return err
			},
			"state": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.State(ctx, who, id)
				return err
			},
			"push": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.PushState(ctx, who, id, []byte("{}"))
				return err
			},
			"versions": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.StateVersions(ctx, who, id)
				return err
			},
			"agents": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.Agents(ctx, who, id)
				return err
			},
			"connect": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, err := ws.ResolveAgent(ctx, who, id, "-")
				return err
			},
			"agentlogs": func(who authz.Actor, id berth.WorkspaceID, _ berth.BuildID) error {
				_, _, err := ws.AgentLogs(ctx, who, id, "-", "", 0)
				return err
			},
		}
		for name, call := range calls {
			err := call(h.eve, id, build)
			want(t, "eve: "+name, err, berth.NotFound)
			missing := call(h.eve, berth.NewID[berth.Workspace](), berth.NewID[berth.Build]())
			if berth.ErrorMessage(err) != berth.ErrorMessage(missing) {
				t.Errorf("%s tells another's (%v) from a missing one (%v)", name, err, missing)
			}
			want(t, "a malformed id: "+name, call(h.owner, "x\x00", "../y"), berth.NotFound)
			want(t, "nobody: "+name, call(authz.Actor{}, id, build), berth.Unauthenticated)
		}
		if list, _, err := ws.List(ctx, h.eve, "owner:mel", "", 0); err != nil || len(list) != 0 {
			t.Errorf("eve lists %d of mel's workspaces, %v", len(list), err)
		}
		if list, _, err := ws.ListBuilds(ctx, h.eve, "", "", 0); err != nil || len(list) != 0 {
			t.Errorf("eve lists %d builds, %v", len(list), err)
		}
		want(t, "eve finds", second(ws.Find(ctx, h.eve, "mel", "box")), berth.NotFound)
		// A template admin sees it and may not enter.
		must(t, calls["get"](h.admin, id, build))
		want(t, "a template admin connects", calls["connect"](h.admin, id, build), berth.Forbidden)
		want(t, "a template admin starts", calls["start"](h.admin, id, build), berth.Forbidden)
		must(t, calls["connect"](h.owner, id, build))
		must(t, calls["connect"](h.mel, id, build))
		// The owner of a workspace may not read its state: it holds the template's secrets.
		want(t, "mel reads the state", calls["state"](h.mel, id, build), berth.Forbidden)
		must(t, calls["state"](h.admin, id, build))
	})
}

func second[T any](_ T, err error) error { return err }

func TestOneBuildAtATime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		want(t, "ssh starts a running workspace", h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Reason: berth.ReasonSSH}), berth.Conflict)
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		err := h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop})
		want(t, "a second build", err, berth.Conflict)
		if !strings.Contains(berth.ErrorMessage(err), "build 2") {
			t.Errorf("the refusal does not name the build: %v", err)
		}
		_, err = h.workspaces.Edit(t.Context(), h.mel, id, workspaces.Edit{Name: new("other")})
		want(t, "a rename during a build", err, berth.Conflict)
		got, err := h.workspaces.Get(t.Context(), h.mel, id)
		must(t, err)
		b, err := h.workspaces.Cancel(t.Context(), h.mel, got.Build.Build.ID, false, berth.BuildPending)
		must(t, err)
		if b.Build.Status() != berth.BuildCanceled {
			t.Errorf("a canceled pending build is %s", b.Build.Status())
		}
		if _, err = h.workspaces.Edit(t.Context(), h.mel, id, workspaces.Edit{Name: new("other")}); err != nil {
			t.Errorf("a rename after it: %v", err)
		}
		for in, f := range map[*workspaces.BuildInput]string{
			{Transition: "explode"}:                                                              "transition",
			{Transition: berth.Import}:                                                           "transition",
			{Transition: berth.Stop, Orphan: true}:                                               "orphan",
			{Transition: berth.Stop, Version: "v1"}:                                              "version",
			{Transition: berth.Stop, Parameters: map[string]string{"a": "b"}}:                    "parameters",
			{Transition: berth.Start, Version: "v1", Update: true}:                               "version",
			{Transition: berth.Start, Version: "v9"}:                                             "version",
			{Transition: berth.Start, AllowDestroy: strings.Split(strings.Repeat("a", 200), "")}: "allow_destroy",
		} {
			err := h.build(h.mel, id, *in)
			if !errors.Is(err, berth.Invalid) || field(err) != f {
				t.Errorf("%+v: got %v, want invalid %s", *in, err, f)
			}
		}
		want(t, "a member's orphan", h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Delete, Orphan: true}), berth.Forbidden)
		h.suspend(h.mel, berth.UserSuspended)
		want(t, "a suspended owner's start", h.build(h.owner, id, workspaces.BuildInput{Transition: berth.Start}), berth.Conflict)
		must(t, h.build(h.owner, id, workspaces.BuildInput{Transition: berth.Stop}))
	})
}

// TestARefusedBuildDoesNotStick: what the persistence rule refused is not what
// the next build begins from.
func TestARefusedBuildDoesNotStick(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		size := berth.Parameter{Name: "size", Type: "number", Default: "1", Mutable: true}
		h.push("dev", "v1", contents(size))
		v, _ := h.running(h.mel, "box")
		id := v.Workspace.ID
		h.push("dev", "v2", contents(size))
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Update: true, Parameters: map[string]string{"size": "2"}}))
		j, c := h.take()
		if j.Env["CODER_WORKSPACE_TEMPLATE_VERSION"] != "v2" {
			t.Errorf("an update uses %s", j.Env["CODER_WORKSPACE_TEMPLATE_VERSION"])
		}
		verdict, err := h.queue.Judge(t.Context(), c, berth.Plan{Changes: []berth.Change{
			{Address: "docker_volume.home", Actions: []string{"delete", "create"}, Forces: []string{"name"}}}})
		must(t, err)
		if verdict.Allow || len(verdict.Refused) != 1 {
			t.Fatalf("verdict = %+v", verdict)
		}
		must(t, h.queue.Finish(t.Context(), c, builds.Report{Error: verdict.Reason, ErrorCode: "persistence", Refused: verdict.Refused}))
		got, err := h.workspaces.Get(t.Context(), h.mel, id)
		must(t, err)
		if got.Status != berth.StatusFailed || !strings.Contains(got.Reason, "docker_volume.home") {
			t.Errorf("after a refusal: %s, outdated %v: %s", got.Status, got.Outdated, got.Reason)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		j, c = h.take()
		if j.Env["CODER_WORKSPACE_TEMPLATE_VERSION"] != "v1" || j.Build.Parameters["size"] != "1" {
			t.Errorf("the stop after a refusal uses %s, %v", j.Env["CODER_WORKSPACE_TEMPLATE_VERSION"], j.Build.Parameters)
		}
		must(t, h.queue.Finish(t.Context(), c, stopped(5)))
		// Nor does one that was canceled before it could change anything.
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Update: true, Parameters: map[string]string{"size": "3"}}))
		_, c = h.take()
		must(t, h.queue.Finish(t.Context(), c, builds.Report{Canceled: true}))
		// A person gives the home up, by its address and for one build.
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start, Update: true, AllowDestroy: []string{"docker_volume.home"}}))
		j, c = h.take()
		if j.Build.Parameters["size"] != "1" {
			t.Errorf("the start after a canceled one has size %s", j.Build.Parameters["size"])
		}
		verdict, err = h.queue.Judge(t.Context(), c, berth.Plan{Changes: []berth.Change{{Address: "docker_volume.home", Actions: []string{"delete", "create"}}}})
		must(t, err)
		if !verdict.Allow {
			t.Errorf("what was given up is refused: %+v", verdict)
		}
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			rows, _, err := q.AuditPage(store.AuditFilter{Visible: berth.Visible{All: true}}, store.Page{})
			for _, a := range rows {
				if a.Action == "start" && a.Detail["allow_destroy"] != nil {
					return err
				}
			}
			t.Error("giving a home up was not audited")
			return err
		}))
	})
}

func TestPluginEnvironment(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents(berth.Parameter{Name: "size", Type: "number", Default: "1", Mutable: true}))
		v, _ := h.running(h.mel, "box")
		must(t, h.build(h.mel, v.Workspace.ID, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{"size": "2"}}))
		j, c := h.take()
		for name, value := range map[string]string{
			"CODER_AGENT_URL": "http://berth.test:7777", "CODER_WORKSPACE_TRANSITION": "start", "CODER_WORKSPACE_NAME": "box",
			"CODER_WORKSPACE_ID": string(v.Workspace.ID), "CODER_WORKSPACE_BUILD_ID": string(j.Build.ID),
			"CODER_WORKSPACE_TEMPLATE_NAME": "dev", "CODER_WORKSPACE_TEMPLATE_VERSION": "v1",
			"CODER_WORKSPACE_OWNER": "mel", "CODER_WORKSPACE_OWNER_EMAIL": "mel@example.com", "CODER_WORKSPACE_OWNER_GROUPS": `["Everyone"]`,
			"CODER_WORKSPACE_OWNER_NAME":        "mel", // who has not told another name
			"CODER_PARAMETER_" + digest("size"): "2", "CODER_PARAMETER_PREVIOUS_" + digest("size"): "1",
		} {
			if j.Env[name] != value {
				t.Errorf("%s = %q, want %q", name, j.Env[name], value)
			}
		}
		for _, arch := range []string{"amd64", "arm64"} {
			script := j.Env["CODER_AGENT_SCRIPT_linux_"+arch]
			if !strings.Contains(script, "berth-agent-linux-"+arch) || strings.Contains(script, "@BINARY@") {
				t.Errorf("the init script of %s is not its own", arch)
			}
		}
		if _, allowed := j.Env["BERTH_HOST_PROCESSES"]; allowed {
			t.Error("a member may have processes on the host")
		}
		must(t, h.queue.Finish(t.Context(), c, builds.Report{Error: "no", ErrorCode: "terraform"}))
		_, err := h.workspaces.Create(t.Context(), h.owner, workspaces.Create{Name: "box", Template: "dev"})
		must(t, err)
		if j, _ = h.take(); j.Env["BERTH_HOST_PROCESSES"] != "allowed" {
			t.Error("the first user may not have processes on the host")
		}
	})
}

func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// An import of another tenant's template is answered like a build that is not
// there.
func TestImportsOfOthersAreHidden(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("hush", "v1", contents())
		builds, _, err := h.workspaces.ListBuilds(t.Context(), h.owner, "transition:import", "", 0)
		if err != nil || len(builds) == 0 {
			t.Fatalf("imports: %d, %v", len(builds), err)
		}
		stranger := authz.User(authz.Who{User: berth.User{ID: berth.NewID[berth.User](), Username: "mallory"}}, authz.ScopeAll)
		_, there := h.workspaces.GetBuild(t.Context(), stranger, builds[0].Build.ID)
		_, missing := h.workspaces.GetBuild(t.Context(), stranger, berth.NewID[berth.Build]())
		if !errors.Is(there, berth.NotFound) || there.Error() != missing.Error() {
			t.Errorf("an import of others: %v; one that is not there: %v", there, missing)
		}
	})
}
