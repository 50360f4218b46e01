package simulations

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
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

// year is a world and what the test knows of it. All of it belongs to the one
// goroutine that lives it; only ask, which ticks call, reads it from others, and
// nothing changes while a tick goes on.
type year struct {
	t          testing.TB
	db         *store.DB
	queue      *builds.Queue
	kind       builds.Kind
	workspaces *workspaces.Service
	replicas   []*schedules.Service
	rng        *rand.Rand
	system     berth.UserID

	begin, end time.Time
	size
	agenda agenda
	down   time.Time // no server is up until then
	look   bool      // something changed: tick at the next minute
	wants  bool      // somebody asked for a build
	beaten time.Time // when runners last told that they are there

	orgs      []*org
	templates []*template
	places    []*place
	people    []*person
	spaces    []*space
	byID      map[berth.WorkspaceID]*space
	ending    map[time.Time][]*run // builds that end at a time

	seen     map[*space]span // use that is not written down yet
	asked    atomic.Int64
	count    map[string]int
	problems int
}

// org is an organization and how its settings were.
type org struct {
	berth.Organization
	edits history[berth.Organization]
}

// template is a template and how its policy was.
type template struct {
	berth.Template
	org      *org
	edits    history[berth.TemplatePolicy]
	versions int
}

// place is a workspace provider and when it was away.
type place struct {
	berth.Provider
	away  []span
	broke []span // starts fail there
}

// person owns workspaces.
type person struct {
	berth.User
	actor     authz.Actor
	zone      *time.Location
	suspended []span
	holidays  []span
}

// history is what something was, the newest last.
type history[T any] []struct {
	at time.Time
	v  T
}

func (h *history[T]) set(at time.Time, v T) {
	*h = append(*h, struct {
		at time.Time
		v  T
	}{at, v})
}

// at is what it was at a time.
func (h history[T]) at(t time.Time) (v T) {
	for i := len(h) - 1; i >= 0; i-- {
		if !h[i].at.After(t) || i == 0 {
			return h[i].v
		}
	}
	return v
}

// site is what the server says for all.
var site = lifecycle.Site{QuietHours: "CRON_TZ=UTC 0 0 * * *", CustomQuietHours: true, UnknownGrace: 24 * time.Hour}

// zones are those that people live in.
var zones = []string{"UTC", "Europe/Dublin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Santiago", "Europe/Dublin"}

// newYear makes a world at the first of January of a year of our time or the next
// forty.
func newYear(t testing.TB, url string, size size, seed uint64) *year {
	y := &year{t: t, size: size, rng: rand.New(rand.NewPCG(seed, 5)), byID: map[berth.WorkspaceID]*space{}, ending: map[time.Time][]*run{},
		seen: map[*space]span{}, count: map[string]int{}}
	time.Sleep(time.Until(time.Date(2000+y.rng.IntN(40), 1, 1, 0, 0, 0, 0, time.UTC)))
	y.db = storetest.Open(t, url)
	keys, err := seal.Load(t.TempDir())
	y.must(err)
	people, places := accounts.New(y.db), providers.New(y.db)
	y.queue = builds.New(y.db, keys, builds.Kinds{}, builds.Options{})
	ts := templates.New(y.db, keys, y.queue)
	y.workspaces = workspaces.New(y.db, keys, y.queue, people, ts, places, workspaces.Options{AccessURL: "https://berth.test"})
	told, err := notices.New(y.db, notices.Options{})
	y.must(err)
	for range 2 {
		y.replicas = append(y.replicas, schedules.New(y.db, y.workspaces, told, schedules.Options{Site: site, Ask: y.ask, Room: y.queue.RoomOf}))
	}
	y.kind = y.workspaces.Kind()
	y.queue.SetKinds(builds.Kinds{Workspace: y.kind, Import: ts.Kind()})
	y.must(people.EnsureDefaults(t.Context()))
	y.must(places.EnsureBuiltIn(t.Context(), nil))
	y.begin = time.Now().UTC()
	y.end = y.begin.AddDate(0, 0, size.days)
	y.write(func(tx *store.Tx) error {
		u, err := tx.UserNamed(berth.PrebuildsUsername)
		y.system = u.ID
		return err
	})
	y.makePlaces()
	y.makeOrgs()
	y.makePeople(size.workspaces)
	for i := range size.workspaces {
		y.newSpace(i)
	}
	y.makeTrouble()
	return y
}

func (y *year) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatalf("%s: %v", time.Now().UTC().Format(time.DateTime), err)
	}
}

func (y *year) write(f func(tx *store.Tx) error) {
	y.t.Helper()
	y.must(y.db.Write(y.t.Context(), f))
}

// chance is true with a probability.
func (y *year) chance(p float64) bool { return y.rng.Float64() < p }

// between is a random length of time.
func (y *year) between(a, b time.Duration) time.Duration {
	return a + time.Duration(y.rng.Int64N(int64(b-a)))
}

func (y *year) makePlaces() {
	y.write(func(tx *store.Tx) error {
		p, err := tx.ProviderRef("")
		if err != nil {
			return err
		}
		far := berth.Provider{ID: berth.NewID[berth.Provider](), Name: "far", CreatedAt: tx.Now}
		y.places = []*place{{Provider: p}, {Provider: far}}
		return tx.InsertProvider(far, []byte("far"))
	})
	for _, p := range y.places {
		_, err := y.queue.Hello(y.t.Context(), p.ID, builds.Hello{Runner: p.Name, Version: "1", Terraform: "1.9", Slots: slots})
		y.must(err)
	}
}

// slots is how many builds a runner does at a time.
const slots = 10

// policies are the kinds of template that there are.
var policies = map[string]berth.TemplatePolicy{
	"plain":     {DefaultTTL: 10 * time.Hour, ActivityBump: time.Hour},
	"strict":    {DefaultTTL: 8 * time.Hour},
	"saturday":  {AutostopDays: 1 << time.Saturday, ActivityBump: time.Hour},
	"fortnight": {AutostopDays: 1<<time.Sunday | 1<<time.Wednesday, AutostopWeeks: 2, DefaultTTL: 12 * time.Hour, ActivityBump: time.Hour, FailureTTL: time.Hour},
	"sleepy":    {DefaultTTL: 8 * time.Hour, ActivityBump: time.Hour, DormancyThreshold: 14 * day, DormancyAutoDeletion: 30 * day, FailureTTL: 2 * time.Hour},
	"gone":      {DefaultTTL: 6 * time.Hour, ActivityBump: 2 * time.Hour, DormancyThreshold: 7 * day, DormancyAutoDeletion: day},
	"rolling":   {DefaultTTL: 9 * time.Hour, ActivityBump: time.Hour, Rollout: berth.RolloutWhenIdle, RequireActive: true},
	"nightly":   {AutostopDays: berth.EveryDay, Rollout: berth.RolloutQuietHours, ActivityBump: time.Hour},
	"free":      {},
	"days":      {DefaultTTL: 10 * time.Hour, ActivityBump: time.Hour, AutostartDays: 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday},
}

var kinds = []string{"plain", "plain", "strict", "saturday", "fortnight", "sleepy", "sleepy", "gone", "rolling", "nightly", "free", "days"}

const day = 24 * time.Hour

func (y *year) makeOrgs() {
	y.write(func(tx *store.Tx) error {
		y.orgs, y.templates = nil, nil
		first, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		acme := berth.Organization{ID: berth.NewID[berth.Organization](), Name: "acme", AutostartDays: berth.EveryDay, AutostartUsedWithin: berth.DefaultUsedWithin,
			ConnectStarts: true, AutoOff: 2 * time.Hour, AutoOffByUser: true, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		busy := berth.Organization{ID: berth.NewID[berth.Organization](), Name: "busy", AutostartDays: berth.EveryDay &^ (1<<time.Sunday | 1<<time.Saturday),
			IdleCounts: true, AutoOff: 4 * time.Hour, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		for _, o := range []berth.Organization{acme, busy} {
			if err := tx.InsertOrganization(o); err != nil {
				return err
			}
		}
		if _, err := tx.AllowProvider(busy.ID, y.places[1].ID); err != nil {
			return err
		}
		for _, o := range []berth.Organization{first, acme, busy} {
			n := &org{Organization: o}
			n.edits.set(tx.Now, o)
			y.orgs = append(y.orgs, n)
		}
		return nil
	})
	for _, o := range y.orgs {
		for _, kind := range kinds {
			y.newTemplate(o, kind)
		}
	}
}

func (y *year) newTemplate(o *org, kind string) {
	p := policies[kind]
	p.AllowUserAutostart, p.AllowUserCancel = true, true
	p.AllowUserAutostop = kind != "strict"
	p.AutostopWeeks, p.AutostopNotify = max(p.AutostopWeeks, 1), 15*time.Minute
	if p.AutostartDays == 0 {
		p.AutostartDays = berth.EveryDay
	}
	if p.Rollout == "" {
		p.Rollout = berth.RolloutNextStart
	}
	n := &template{org: o}
	n.Template = berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: o.ID, Name: fmt.Sprintf("%s-%d", kind, len(y.templates)), CreatedBy: y.system,
		CreatedAt: time.Now(), UpdatedAt: time.Now()}
	everyone := berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(o.ID))}
	y.write(func(tx *store.Tx) error {
		if err := tx.InsertTemplate(n.Template); err != nil {
			return err
		}
		if err := tx.SetTemplatePolicy(n.ID, p); err != nil {
			return err
		}
		return tx.PutGrant(store.TemplateGrants(n.ID), berth.Grant{To: everyone, Role: berth.GrantUse}, y.system)
	})
	y.newVersion(n)
	n.Policy = p
	n.edits.set(time.Now(), p)
	y.templates = append(y.templates, n)
}

// newVersion makes a version of a template the active one.
func (y *year) newVersion(n *template) {
	n.versions++
	v := berth.Version{ID: berth.NewID[berth.Version](), OrganizationID: n.OrganizationID, TemplateID: n.ID, Name: fmt.Sprintf("v%d", n.versions), Archive: "00",
		CreatedBy: y.system, CreatedAt: time.Now(), Contents: berth.Contents{Agents: []string{"main"}}}
	b := berth.Build{ID: berth.NewID[berth.Build](), OrganizationID: n.OrganizationID, ProviderID: y.places[0].ID, Transition: berth.Import, TemplateID: n.ID, VersionID: v.ID,
		InitiatorID: y.system, Class: berth.ClassImport, CreatedAt: time.Now()}
	y.write(func(tx *store.Tx) error {
		for _, step := range []func() error{
			func() error { return tx.PutArchive("00", []byte("archive")) },
			func() error { return tx.InsertVersion(v, nil) },
			func() error { return tx.InsertBuild(b) },
			func() error { return tx.SetVersionBuild(v.ID, b.ID) },
			func() error { return tx.EndBuild(b.ID, 0, store.Ended{}) },
			func() error { return tx.SetContents(v.ID, v.Contents) },
			func() error { return tx.SetActiveVersion(n.ID, v.ID) },
			func() error { return tx.LookAgainTemplate(n.ID) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	n.ActiveVersionID = v.ID
	y.look = true
}

func (y *year) makePeople(n int) {
	for i := range max(n*2/5, 1) {
		zone, err := time.LoadLocation(zones[y.rng.IntN(len(zones))])
		y.must(err)
		p := &person{zone: zone}
		p.User = berth.User{ID: berth.NewID[berth.User](), Username: fmt.Sprintf("p%d", i), Email: fmt.Sprintf("p%d@example.com", i), Status: berth.UserActive,
			CreatedAt: time.Now(), UpdatedAt: time.Now()}
		var in []berth.OrganizationID
		y.write(func(tx *store.Tx) error {
			if err := tx.InsertUser(p.User, ""); err != nil {
				return err
			}
			in = nil
			for _, o := range y.orgs {
				in = append(in, o.ID)
				if err := tx.AddMember(o.ID, p.ID); err != nil {
					return err
				}
			}
			return nil
		})
		p.actor = authz.User(authz.Who{User: p.User}.In(in...), authz.ScopeAll)
		for range 2 {
			from := y.begin.Add(y.between(0, 350*day))
			p.holidays = append(p.holidays, span{from, from.Add(14 * day)})
		}
		y.people = append(y.people, p)
	}
}
