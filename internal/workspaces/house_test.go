package workspaces_test

import (
	"archive/tar"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// house is a server's use cases on one database, with a runner that does what
// the test says instead of running Terraform.
type house struct {
	t          *testing.T
	db         *store.DB
	queue      *builds.Queue
	templates  *templates.Service
	workspaces *workspaces.Service
	provider   berth.Provider

	owner, admin, mel, eve authz.Actor // of the site; of templates; members
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		test(t, newHouse(t, open(t)))
	})
}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	keys, err := seal.Load(t.TempDir())
	must(t, err)
	h := &house{t: t, db: db, queue: builds.New(db, keys, builds.Kinds{}, builds.Options{})}
	people, places := accounts.New(db), providers.New(db)
	h.templates = templates.New(db, keys, h.queue)
	h.workspaces = workspaces.New(db, keys, h.queue, people, h.templates, places, workspaces.Options{AccessURL: "http://berth.test:7777"})
	h.queue.SetKinds(builds.Kinds{Workspace: h.workspaces.Kind(), Import: h.templates.Kind(), Look: h.workspaces.LookKind()})
	must(t, people.EnsureDefaults(t.Context()))
	must(t, places.EnsureBuiltIn(t.Context(), nil))
	must(t, db.Write(t.Context(), func(tx *store.Tx) error {
		h.provider, err = tx.ProviderRef("")
		return err
	}))
	h.owner = h.person("ada", berth.RoleOwner)
	h.admin = h.person("tam", berth.RoleTemplateAdmin)
	h.mel = h.person("mel")
	h.eve = h.person("eve")
	_, err = h.queue.Hello(t.Context(), h.provider.ID, builds.Hello{Runner: "runner", Version: "test", Terraform: "1.9", Slots: 4})
	must(t, err)
	return h
}

func (h *house) person(name string, roles ...berth.Role) authz.Actor {
	h.t.Helper()
	var orgs []berth.OrganizationID
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: roles}
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		o, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		orgs = []berth.OrganizationID{o.ID}
		if err := tx.InsertUser(u, ""); err != nil {
			return err
		}
		return tx.AddMember(o.ID, u.ID)
	}))
	return authz.User(authz.Who{User: u}.In(orgs...), authz.ScopeAll)
}

func (h *house) suspend(who authz.Actor, status berth.UserStatus) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		u, err := tx.User(who.UserID)
		if err != nil {
			return err
		}
		u.Status = status
		return tx.UpdateUser(u)
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails unless the error has the code.
func want(t *testing.T, what string, err error, code berth.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func field(err error) string {
	var e *berth.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

// archive is a template with a comment of its own.
func archive(t *testing.T, comment string) *bytes.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	must(t, w.WriteHeader(&tar.Header{Name: "main.tf", Size: int64(len(comment)), Mode: 0o644}))
	_, err := w.Write([]byte(comment))
	must(t, err)
	must(t, w.Close())
	return bytes.NewReader(out.Bytes())
}

// contents is what the import of the tests' template finds.
func contents(parameters ...berth.Parameter) berth.Contents {
	return berth.Contents{Parameters: parameters, Agents: []string{"main"}, Resources: []berth.TemplateResource{
		{Address: "docker_volume.home", Type: "docker_volume", Persistent: true}, {Address: "docker_container.main", Type: "docker_container"}}}
}

// archive uploads a template with a comment in it.
func (h *house) archive(comment string) string {
	h.t.Helper()
	a, err := h.templates.Upload(h.t.Context(), h.admin, archive(h.t, "# "+comment))
	must(h.t, err)
	return a.Hash
}

// push pushes a version and imports it.
func (h *house) push(template, version string, c berth.Contents) templates.VersionView {
	h.t.Helper()
	v, err := h.templates.Push(h.t.Context(), h.admin, templates.Push{Template: template, Archive: h.archive(template + version), Name: version, Activate: true})
	must(h.t, err)
	h.run(builds.Report{Contents: &c})
	return v
}

// take gives the next build to the runner.
func (h *house) take() (*builds.Job, builds.Call) {
	h.t.Helper()
	j, err := h.queue.Take(h.t.Context(), h.provider.ID, "runner", 0, true)
	must(h.t, err)
	if j == nil {
		h.t.Fatal("there is nothing to take")
	}
	return j, builds.Call{Provider: h.provider.ID, Runner: "runner", Build: j.Build.ID, Attempt: j.Build.Attempt}
}

// run takes the next build and ends it with the report.
func (h *house) run(r builds.Report) *builds.Job {
	h.t.Helper()
	j, c := h.take()
	if _, err := h.queue.Judge(h.t.Context(), c, berth.Plan{}); err != nil && j.Build.Transition != berth.Import {
		h.t.Fatal(err)
	}
	must(h.t, h.queue.Finish(h.t.Context(), c, r))
	return j
}

// started is the report of a start: a home, a container and an agent with the
// token that the plugin derives.
func started(t *testing.T, j *builds.Job, serial int64) builds.Report {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(j.Env["BERTH_AGENT_KEY"])
	must(t, err)
	id := berth.NewID[berth.Agent]()
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("berth agent token v1\x00" + id))
	return builds.Report{Lineage: "L", Serial: serial, State: []byte(`{"version":4,"lineage":"L","serial":1}`),
		Addresses: []string{"coder_agent.main", "docker_container.main[0]", "docker_volume.home"},
		Resources: []berth.Resource{{Address: "docker_container.main[0]", Type: "docker_container", Metadata: []berth.ResourceItem{{Key: "image", Value: "debian"}}}},
		Agents: []builds.FoundAgent{{ID: id, Token: base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
			AgentSpec: berth.AgentSpec{Name: "main", Address: "coder_agent.main", OS: "linux", Arch: "amd64",
				Scripts: []berth.Script{{ID: "s", RunOnStart: true, StartBlocksLogin: true}}}}}}
}

func stopped(serial int64) builds.Report {
	return builds.Report{Lineage: "L", Serial: serial, State: []byte(`{"version":4,"lineage":"L"}`), Addresses: []string{"coder_agent.main", "docker_volume.home"}}
}

// running makes a workspace and starts it. It gives the agent's token.
func (h *house) running(who authz.Actor, name string) (workspaces.View, string) {
	h.t.Helper()
	v, err := h.workspaces.Create(h.t.Context(), who, workspaces.Create{Name: name, Template: "dev"})
	must(h.t, err)
	token := h.finishStart(1)
	v, err = h.workspaces.Get(h.t.Context(), who, v.Workspace.ID)
	must(h.t, err)
	return v, token
}

// finishStart runs the pending start and gives the agent's token.
func (h *house) finishStart(serial int64) string {
	h.t.Helper()
	j, c := h.take()
	_, err := h.queue.Judge(h.t.Context(), c, berth.Plan{})
	must(h.t, err)
	r := started(h.t, j, serial)
	must(h.t, h.queue.Finish(h.t.Context(), c, r))
	return r.Agents[0].Token
}

func (h *house) build(who authz.Actor, id berth.WorkspaceID, in workspaces.BuildInput) error {
	_, err := h.workspaces.Build(h.t.Context(), who, id, in)
	return err
}
