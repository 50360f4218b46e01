package schedules_test

import (
	"archive/tar"
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/notices"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/schedules"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// house is a server's use cases on one database, with a runner and agents that
// do what the test says.
type house struct {
	*testing.T
	db         *store.DB
	queue      *builds.Queue
	templates  *templates.Service
	workspaces *workspaces.Service
	schedules  *schedules.Service
	provider   berth.Provider
	template   berth.Template
	admin, mel authz.Actor

	mu    sync.Mutex
	asked int
	agent func(id berth.WorkspaceID) (activity.Answer, error) // nil: they saw nothing
}

// each runs a test on both engines where time is ours.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) {
		synctest.Test(t, func(t *testing.T) { test(t, newHouse(t, open(t))) })
	})
}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	keys, err := seal.Load(t.TempDir())
	must(t, err)
	h := &house{T: t, db: db, queue: builds.New(db, keys, builds.Kinds{}, builds.Options{})}
	people, places := accounts.New(db), providers.New(db)
	h.templates = templates.New(db, keys, h.queue)
	h.workspaces = workspaces.New(db, keys, h.queue, people, h.templates, places, workspaces.Options{AccessURL: "http://berth.test:7777"})
	h.schedules = h.replica()
	h.templates.SetGuard(h.schedules)
	h.queue.SetKinds(builds.Kinds{Workspace: h.schedules.Kind(), Import: h.templates.Kind()})
	must(t, people.EnsureDefaults(t.Context()))
	must(t, places.EnsureBuiltIn(t.Context(), nil))
	h.write(func(tx *store.Tx) error {
		h.provider, err = tx.ProviderRef("")
		return err
	})
	h.admin = h.person("ada", berth.RoleOwner)
	h.mel = h.person("mel")
	h.hello(50)
	h.push("dev", "v1")
	h.write(func(tx *store.Tx) error {
		o, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		h.template, err = tx.TemplateRef(o.ID, "dev")
		return err
	})
	return h
}

// replica is one more server on the database.
func (h *house) replica() *schedules.Service {
	told, err := notices.New(h.db, notices.Options{})
	if err != nil {
		h.Fatal(err)
	}
	return schedules.New(h.db, h.workspaces, told, schedules.Options{
		Site: lifecycle.Site{QuietHours: "CRON_TZ=UTC 0 0 * * *", CustomQuietHours: true, UnknownGrace: 24 * time.Hour},
		Ask:  h.ask, Room: h.queue.RoomOf,
	})
}

func (h *house) ask(_ context.Context, id berth.WorkspaceID) (activity.Answer, error) {
	h.mu.Lock()
	h.asked++
	agent := h.agent
	h.mu.Unlock()
	if agent == nil {
		return saw(), nil
	}
	return agent(id)
}

// saw is the answer of agents that saw things.
func saw(seen ...berth.Evidence) activity.Answer {
	return activity.Answer{Known: true, Running: true, Activity: berth.NewActivity(seen, nil, false, time.Now())}
}

func (h *house) write(f func(tx *store.Tx) error) {
	h.Helper()
	must(h.T, h.db.Write(h.Context(), f))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) hello(slots int) {
	h.Helper()
	_, err := h.queue.Hello(h.Context(), h.provider.ID, builds.Hello{Runner: "runner", Version: "test", Terraform: "1.9", Slots: slots})
	must(h.T, err)
}

func (h *house) person(name string, roles ...berth.Role) authz.Actor {
	h.Helper()
	var orgs []berth.OrganizationID
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: roles}
	h.write(func(tx *store.Tx) error {
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
	})
	return authz.User(authz.Who{User: u}.In(orgs...), authz.ScopeAll)
}

// push makes a version the active one of a template.
func (h *house) push(template, version string, asks ...berth.Parameter) {
	h.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	text := "# " + template + version
	must(h.T, w.WriteHeader(&tar.Header{Name: "main.tf", Size: int64(len(text)), Mode: 0o644}))
	_, err := w.Write([]byte(text))
	must(h.T, err)
	must(h.T, w.Close())
	a, err := h.templates.Upload(h.Context(), h.admin, bytes.NewReader(out.Bytes()))
	must(h.T, err)
	_, err = h.templates.Push(h.Context(), h.admin, templates.Push{Template: template, Archive: a.Hash, Name: version, Activate: true})
	must(h.T, err)
	h.run(builds.Report{Contents: &berth.Contents{Parameters: asks}})
	time.Sleep(time.Second) // the next one is newer
}

// policy changes what the template says of its workspaces.
func (h *house) policy(change func(p *berth.TemplatePolicy)) {
	h.Helper()
	h.write(func(tx *store.Tx) (err error) {
		if h.template, err = tx.Template(h.template.ID); err != nil {
			return err
		}
		change(&h.template.Policy)
		return tx.SetTemplatePolicy(h.template.ID, h.template.Policy)
	})
}

// run takes the next build and ends it with the report.
func (h *house) run(r builds.Report) berth.Build {
	h.Helper()
	b, call := h.take()
	if b.Transition != berth.Import {
		_, err := h.queue.Judge(h.Context(), call, berth.Plan{})
		must(h.T, err)
	}
	must(h.T, h.queue.Finish(h.Context(), call, r))
	return b
}

// seen is a sign of life of the runner.
func (h *house) seen() {
	h.Helper()
	h.write(func(tx *store.Tx) error { _, err := tx.SeeRunner(h.provider.ID, "runner"); return err })
}

// take gives the next build to the runner.
func (h *house) take() (berth.Build, builds.Call) {
	h.Helper()
	h.seen()
	j, err := h.queue.Take(h.Context(), h.provider.ID, "runner", 0, true)
	must(h.T, err)
	if j == nil {
		h.Fatal("there is nothing to take")
	}
	return j.Build, builds.Call{Provider: h.provider.ID, Runner: "runner", Build: j.Build.ID, Attempt: j.Build.Attempt}
}

// running makes a workspace that runs.
func (h *house) running(name string) berth.WorkspaceID {
	h.Helper()
	v, err := h.workspaces.Create(h.Context(), h.mel, workspaces.Create{Name: name, Template: "dev"})
	must(h.T, err)
	h.run(builds.Report{})
	return v.Workspace.ID
}

// stopped makes a workspace that is stopped.
func (h *house) stopped(name string) berth.WorkspaceID {
	h.Helper()
	id := h.running(name)
	_, err := h.workspaces.Build(h.Context(), h.mel, id, workspaces.BuildInput{Transition: berth.Stop})
	must(h.T, err)
	h.run(builds.Report{})
	return id
}

// tick asks the rules now, as the loop does.
func (h *house) tick() int64 {
	h.Helper()
	h.seen()
	n, err := h.schedules.Tick(h.Context(), time.Now())
	must(h.T, err)
	return n
}

func (h *house) facts(id berth.WorkspaceID) (f lifecycle.Facts) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) (err error) {
		f, err = h.schedules.FactsOf(q, id)
		return err
	}))
	return f
}

func (h *house) acts(id berth.WorkspaceID) (acts []berth.Act) {
	h.Helper()
	must(h.T, h.db.Read(h.Context(), func(q *store.Query) (err error) {
		acts, err = q.Acts(id, 1000)
		return err
	}))
	return acts
}
