package httpapi_test

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/server/servertest"
	"github.com/berthdev/berth/internal/store"
)

// world is what the walk asks about: the organization home with ana's workspace
// dev of the template plain, and the organization elsewhere.
type world struct {
	s               *servertest.Server
	db              *store.DB
	admin           *client.Client // of the owner of the site
	home, elsewhere berth.Organization
	users           map[string]berth.User // by username
	crew            berth.Group           // a group of home, without members
	workspace       berth.Workspace       // ana's
	template        berth.Template
	build           string // of the workspace
	agent           string // id
	app             string // address of the app web
}

// caster is somebody who calls.
type caster struct {
	tag, about string
	user       string // username; empty for nobody
	token      berth.Token
}

// cast is everybody who calls each operation. All but nobody and else are
// members of home; the workspace is ana's.
var cast = []caster{
	{tag: "none", about: "nobody is signed in"},
	{tag: "else", about: "a member of another organization", user: "eve"},
	{tag: "memb", about: "a member of the organization", user: "mel"},
	{tag: "ana", about: "whose workspace it is", user: "ana"},
	{tag: "g.us", about: "with whom it is shared to use it", user: "gus"},
	{tag: "g.ad", about: "with whom it is shared to manage it", user: "gad"},
	{tag: "o.ua", about: "a user admin of the organization", user: "oua"},
	{tag: "o.ta", about: "a template admin of the organization", user: "ota"},
	{tag: "o.au", about: "an auditor of the organization", user: "oau"},
	{tag: "o.ow", about: "an owner of the organization", user: "oow"},
	{tag: "s.ua", about: "a user admin of the site", user: "sua"},
	{tag: "s.ta", about: "a template admin of the site", user: "sta"},
	{tag: "s.au", about: "an auditor of the site", user: "sau"},
	{tag: "s.ow", about: "an owner of the site", user: "admin"},
	{tag: "t.no", about: "a token of ana's without a scope", user: "ana", token: berth.Token{Kind: berth.TokenAPI, Scopes: []string{}}},
	{tag: "t.rd", about: "one with the scope read", user: "ana", token: berth.Token{Kind: berth.TokenAPI, Scopes: []string{"read"}}},
	{tag: "t.co", about: "one with the scope connect", user: "ana", token: berth.Token{Kind: berth.TokenAPI, Scopes: []string{"connect"}}},
	{tag: "t.ws", about: "the login of ana's workspace", user: "ana", token: berth.Token{Kind: berth.TokenWorkspace, Scopes: []string{"all"}}},
	{tag: "t.pw", about: "a login whose password has to be changed", user: "pat"},
	{tag: "x.rd", about: "a token of the site's owner with the scope read", user: "admin", token: berth.Token{Kind: berth.TokenAPI, Scopes: []string{"read"}}},
}

// people are who is made besides the owner of the site, with their roles.
var people = []struct {
	name        string
	site, there []berth.Role
}{
	{name: "mel"}, {name: "ana"}, {name: "pat"}, {name: "gus"}, {name: "gad"},
	{name: "ben"}, // whom the requests are about
	{name: "oua", there: []berth.Role{berth.RoleUserAdmin}},
	{name: "ota", there: []berth.Role{berth.RoleTemplateAdmin}},
	{name: "oau", there: []berth.Role{berth.RoleAuditor}},
	{name: "oow", there: []berth.Role{berth.RoleOwner}},
	{name: "sua", site: []berth.Role{berth.RoleUserAdmin}},
	{name: "sta", site: []berth.Role{berth.RoleTemplateAdmin}},
	{name: "sau", site: []berth.Role{berth.RoleAuditor}},
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{s: servertest.Start(t, func(o *server.Options) { o.AppsListen = "127.0.0.1:0" }), users: map[string]berth.User{}}
	w.admin, _ = w.s.FirstUser(t)
	r := w.s.Runner(t)
	r.Spec = func(a *berth.AgentSpec) {
		a.Outside = true
		a.Apps = []berth.App{{Slug: "docs", DisplayName: "Docs", URL: "https://docs.example.com", External: true},
			{Slug: "web", DisplayName: "Web", URL: "http://localhost:3000", Share: "owner", Subdomain: true}}
	}
	servertest.Push(t, w.admin, "plain")
	w.db = w.s.Store(t)
	w.write(t, func(tx *store.Tx) (err error) {
		if w.home, err = tx.OrganizationRef("default"); err != nil {
			return err
		}
		w.home.Name = "home"
		if err := tx.UpdateOrganization(w.home); err != nil {
			return err
		}
		w.elsewhere = berth.Organization{ID: berth.NewID[berth.Organization](), Name: "elsewhere", Sharing: true, ConnectStarts: true,
			AutostartDays: berth.EveryDay, CreatedAt: tx.Now}
		if err := tx.InsertOrganization(w.elsewhere); err != nil {
			return err
		}
		w.crew = berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: w.home.ID, Name: "crew"}
		if err := tx.InsertGroup(w.crew); err != nil {
			return err
		}
		for _, p := range people {
			if err := w.join(tx, p.name, p.site, berth.Membership{OrganizationID: w.home.ID, Roles: p.there}); err != nil {
				return err
			}
		}
		if err := w.join(tx, "eve", nil, berth.Membership{OrganizationID: w.elsewhere.ID}); err != nil {
			return err
		}
		w.users["admin"], err = tx.UserNamed("admin")
		return err
	})
	ana := w.s.Client(t, w.token(t, caster{user: "ana"}))
	dev := servertest.Create(t, ana, "plain", "dev")
	w.build, w.agent = dev.Build.ID, dev.Agents[0].ID
	apps, err := ana.Apps(t.Context(), dev.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range apps.Items {
		if a.Name == "Web" {
			w.app = a.URL
		}
	}
	if w.app == "" {
		t.Fatalf("the app has no address: %+v", apps.Items)
	}
	w.read(t, func(q *store.Query) (err error) {
		if w.workspace, err = q.Workspace(berth.WorkspaceID(dev.ID)); err != nil {
			return err
		}
		w.template, err = q.Template(w.workspace.TemplateID)
		return err
	})
	w.write(t, func(tx *store.Tx) error {
		for _, g := range w.shares() {
			if err := tx.PutGrant(store.WorkspaceGrants(w.workspace.ID), g, w.workspace.OwnerID); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// join makes a user who is a member of an organization.
func (w *world) join(tx *store.Tx, name string, site []berth.Role, m berth.Membership) error {
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive, Roles: site,
		SignIn: berth.SignInPassword, MustChangePassword: name == "pat", CreatedAt: tx.Now, UpdatedAt: tx.Now}
	w.users[name] = u
	if err := tx.InsertUser(u, ""); err != nil {
		return err
	}
	m.UserID = u.ID
	return tx.PutMember(m)
}

func (w *world) write(t *testing.T, f func(tx *store.Tx) error) {
	t.Helper()
	if err := w.db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (w *world) read(t *testing.T, f func(q *store.Query) error) {
	t.Helper()
	if err := w.db.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// token makes a new token of a caster, since a request may end the one that it
// comes with. It is "" for nobody.
func (w *world) token(t *testing.T, c caster) string {
	t.Helper()
	if c.user == "" {
		return ""
	}
	text := "berth_" + rand.Text()
	hash := sha256.Sum256([]byte(text))
	k := c.token
	k.ID, k.UserID, k.Hash, k.Name = berth.NewID[berth.Token](), w.users[c.user].ID, hash[:], rand.Text()
	if k.Kind == "" {
		k.Kind, k.Scopes, k.SignIn = berth.TokenLogin, []string{string(authz.ScopeAll)}, berth.SignInPassword
	}
	if k.Kind == berth.TokenWorkspace {
		k.WorkspaceID = w.workspace.ID
	}
	w.write(t, func(tx *store.Tx) error {
		k.CreatedAt, k.ExpiresAt = tx.Now, tx.Now.Add(time.Hour)
		return tx.InsertToken(k)
	})
	return text
}

// actor is a caster as the policy sees them.
func (w *world) actor(t *testing.T, c caster) (a authz.Actor) {
	t.Helper()
	if c.user == "" {
		return a
	}
	k := c.token
	if k.Kind == "" {
		k.Kind, k.Scopes, k.SignIn = berth.TokenLogin, []string{string(authz.ScopeAll)}, berth.SignInPassword
	}
	if k.Kind == berth.TokenWorkspace {
		k.WorkspaceID = w.workspace.ID
	}
	w.read(t, func(q *store.Query) (err error) {
		a, err = accounts.ActorOf(q, k, w.users[c.user])
		return err
	})
	return a
}

// inside is what only shows up in answers that are about home: nobody from
// elsewhere gets to see any of it.
func (w *world) inside() []string {
	return []string{string(w.home.ID), string(w.crew.ID), string(w.workspace.ID), string(w.template.ID), string(w.template.ActiveVersionID), w.build, w.agent,
		string(w.users["ana"].ID), string(w.users["ben"].ID), `"home"`, `"plain"`, `"ana"`, `"crew"`}
}

// values are what the parts of paths in braces become.
func (w *world) values() map[string]string {
	return map[string]string{
		"organization": w.home.Name, "group": w.crew.Name, "user": "ana", "member": "ben", "name": "dev",
		"template": "plain", "version": "active", "workspace": string(w.workspace.ID), "build": w.build, "number": "1",
		"agent": "-", "app": "docs", "port": "8080", "token": "spare", "secret": "spare", "external": "github",
		"app url": w.app, "no app url": strings.Replace(w.app, "ana", "nan", 1),
		"stream": newID(), "terminal": newID(), "hold": newID(),
	}
}

func newID() string { return string(berth.NewID[struct{}]()) }

// spareToken gives the caller a token `spare`, which the request ends.
func spareToken(t *testing.T, w *world, c caster) {
	if u, ok := w.users[c.user]; ok {
		hash := sha256.Sum256([]byte(rand.Text()))
		w.write(t, func(tx *store.Tx) error {
			_ = tx.DeleteExpiredOf(u.ID)
			all, err := tx.Tokens(u.ID, tx.Now)
			for _, k := range all {
				if k.Name == "spare" {
					return err
				}
			}
			return tx.InsertToken(berth.Token{ID: berth.NewID[berth.Token](), UserID: u.ID, Kind: berth.TokenAPI, Name: "spare", Hash: hash[:],
				Scopes: []string{"all"}, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour)})
		})
	}
}

// spareSecret gives the caller a secret `spare`, which the request removes.
func spareSecret(t *testing.T, w *world, c caster) {
	if c.user != "" {
		if _, err := w.s.Client(t, w.token(t, caster{user: orElse(c.user, "pat", "ana")})).PutSecret(t.Context(), "spare", api.PutSecret{Value: ptr("x"), Env: ptr("SPARE")}); err != nil {
			t.Fatal(err)
		}
	}
}

// spareProvider makes a workspace provider `spare`, which the request takes from
// home.
func spareProvider(t *testing.T, w *world, _ caster) {
	w.write(t, func(tx *store.Tx) error {
		p, err := tx.ProviderRef("spare")
		if errors.Is(err, berth.NotFound) {
			p = berth.Provider{ID: berth.NewID[berth.Provider](), Name: "spare", CreatedAt: tx.Now}
			err = tx.InsertProvider(p, []byte("spare"))
		}
		if err == nil {
			_, err = tx.AllowProvider(w.home.ID, p.ID)
		}
		return err
	})
}

// spareVersion gives the template a version `spare` whose import failed.
func spareVersion(t *testing.T, w *world, _ caster) {
	w.write(t, func(tx *store.Tx) error {
		v, err := tx.Version(w.template.ActiveVersionID)
		if err != nil {
			return err
		}
		b, err := tx.Build(v.BuildID)
		if err != nil {
			return err
		}
		v.ID, b.ID, v.Name = berth.NewID[berth.Version](), berth.NewID[berth.Build](), "spare"
		b.VersionID, v.BuildID = v.ID, b.ID
		return errors.Join(tx.InsertVersion(v, nil), tx.InsertBuild(b), tx.EndBuild(b.ID, 0, store.Ended{Error: "no", ErrorCode: "terraform"}))
	})
}

// orElse is s, unless that is not.
func orElse(s, not, instead string) string {
	if s == not {
		return instead
	}
	return s
}

// sharedPort shares port 8080 of ana's workspace, which the request ends.
func sharedPort(t *testing.T, w *world, _ caster) {
	if _, err := w.admin.SharePort(t.Context(), string(w.workspace.ID), "-", 8080, api.SharePort{Level: "organization"}); err != nil {
		t.Fatal(err)
	}
}

// shares are those of the workspace.
func (w *world) shares() []berth.Grant {
	return []berth.Grant{
		{To: berth.Grantee{Kind: berth.GranteeUser, ID: string(w.users["gus"].ID)}, Role: berth.GrantUse},
		{To: berth.Grantee{Kind: berth.GranteeUser, ID: string(w.users["gad"].ID)}, Role: berth.GrantAdmin},
	}
}

func everyoneUses(o berth.OrganizationID) berth.Grant {
	return berth.Grant{To: berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(o))}, Role: berth.GrantUse}
}
