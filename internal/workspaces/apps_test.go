package workspaces_test

import (
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
	"github.com/berthdev/berth/internal/workspaces"
)

// signedIn gives an actor a login.
func (h *house) signedIn(who authz.Actor) berth.TokenID {
	h.t.Helper()
	id := berth.NewID[berth.Token]()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		return tx.InsertToken(berth.Token{ID: id, UserID: who.UserID, Kind: berth.TokenLogin, Name: "login", Hash: []byte(id), Scopes: []string{"all"}, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour)})
	}))
	return id
}

// stranger is a user of no organization.
func (h *house) stranger(name string) authz.Actor {
	h.t.Helper()
	u := berth.User{ID: berth.NewID[berth.User](), Username: name, Email: name + "@example.com", Status: berth.UserActive}
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now, tx.Now
		return tx.InsertUser(u, "")
	}))
	return authz.User(authz.Who{User: u}, authz.ScopeAll)
}

// withApps starts mel's workspace "box" with an app of each level.
func (h *house) withApps() berth.WorkspaceID {
	h.t.Helper()
	h.push("dev", "v1", contents())
	v, err := h.workspaces.Create(h.t.Context(), h.mel, workspaces.Create{Name: "box", Template: "dev"})
	must(h.t, err)
	h.startApps(1)
	return v.Workspace.ID
}

func (h *house) startApps(serial int64) {
	h.t.Helper()
	j, c := h.take()
	_, err := h.queue.Judge(h.t.Context(), c, berth.Plan{})
	must(h.t, err)
	r := started(h.t, j, serial)
	for _, level := range berth.Shares {
		r.Agents[0].Apps = append(r.Agents[0].Apps, berth.App{ID: "app-" + string(level), Slug: string(level), URL: "http://localhost:1", Share: string(level)})
	}
	must(h.t, h.queue.Finish(h.t.Context(), c, r))
}

func TestOpenApp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.withApps()
		type visitor struct {
			user  berth.UserID
			login berth.TokenID
		}
		zed := h.stranger("zed")
		who := map[string]visitor{"nobody": {}}
		for name, actor := range map[string]authz.Actor{"mel": h.mel, "a colleague": h.eve, "a stranger": zed, "the site's owner": h.owner} {
			who[name] = visitor{actor.UserID, h.signedIn(actor)}
		}
		open := func(v visitor, app string, path bool) error {
			_, err := h.workspaces.OpenApp(t.Context(), v.user, v.login, berth.AppRef{Owner: "MEL", Workspace: "Box", App: app}, path)
			return err
		}
		may := map[berth.Share]map[string]bool{
			"owner":         {"mel": true, "the site's owner": true},
			"organization":  {"mel": true, "the site's owner": true, "a colleague": true},
			"authenticated": {"mel": true, "the site's owner": true, "a colleague": true, "a stranger": true},
			"public":        {"mel": true, "the site's owner": true, "a colleague": true, "a stranger": true, "nobody": true},
		}
		look := func(what string, may map[berth.Share]map[string]bool) {
			t.Helper()
			for level, list := range may {
				for name, v := range who {
					if err := open(v, string(level), false); (err == nil) != list[name] {
						t.Errorf("%s: %s opens the app %s: %v", what, name, level, err)
					}
					if err := open(v, string(level), true); (err == nil) != (name == "mel") {
						t.Errorf("%s: %s opens the app %s under a path: %v", what, name, level, err)
					}
				}
			}
		}
		look("no maximum", may)
		// Nobody learns what there is without signing in, and strangers never.
		want(t, "nobody opens what is there", open(who["nobody"], "owner", false), berth.Unauthenticated)
		want(t, "nobody opens what is not there", open(who["nobody"], "none", false), berth.Unauthenticated)
		want(t, "a stranger opens what is there", open(who["a stranger"], "owner", false), berth.NotFound)
		want(t, "a stranger opens what is not there", open(who["a stranger"], "none", false), berth.NotFound)
		want(t, "mel opens what is not there", open(who["mel"], "none", false), berth.NotFound)
		want(t, "somebody with mel's login", open(visitor{zed.UserID, who["mel"].login}, "owner", false), berth.Unauthenticated)
		want(t, "a login that was never there", open(visitor{h.mel.UserID, berth.NewID[berth.Token]()}, "owner", false), berth.Unauthenticated)

		limit := "organization"
		_, err := h.templates.Edit(t.Context(), h.admin, "", "dev", templates.Edit{MaxShare: &limit})
		must(t, err)
		look("at most organization", map[berth.Share]map[string]bool{
			"owner": may["owner"], "organization": may["organization"], "authenticated": may["organization"], "public": may["organization"],
		})
		evil := "everyone"
		_, err = h.templates.Edit(t.Context(), h.admin, "", "dev", templates.Edit{MaxShare: &evil})
		want(t, "a maximum that is no level", err, berth.Invalid)

		h.suspend(h.mel, berth.UserSuspended)
		want(t, "a suspended owner", open(who["mel"], "owner", false), berth.Unauthenticated)
		want(t, "an app of a suspended owner", open(who["a colleague"], "public", false), berth.Forbidden)
		h.suspend(h.mel, berth.UserActive)
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error { return tx.DeleteToken(h.mel.UserID, who["mel"].login) }))
		want(t, "after the logout", open(who["mel"], "owner", false), berth.Unauthenticated)
	})
}

func TestSharedPorts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.withApps()
		ws, ctx := h.workspaces, t.Context()
		eve := h.signedIn(h.eve)
		open := func(port int) (workspaces.OpenedApp, error) {
			return ws.OpenApp(ctx, h.eve.UserID, eve, berth.AppRef{Owner: "mel", Workspace: "box", Port: port}, false)
		}
		_, err := open(8080)
		want(t, "a port that is not shared", err, berth.NotFound)
		share := func(who authz.Actor, agent string, p berth.PortShare) error {
			_, kept, err := ws.SharePort(ctx, who, id, agent, p)
			if err == nil && kept.Agent != "main" {
				t.Errorf("a share is kept for the agent %q", kept.Agent)
			}
			return err
		}
		good := berth.PortShare{Port: 8080, Scheme: "https", Level: berth.ShareOrganization}
		want(t, "eve shares mel's port", share(h.eve, "", good), berth.NotFound)
		want(t, "a template admin shares mel's port", share(h.admin, "", good), berth.Forbidden)
		for _, p := range []berth.PortShare{{Port: 0, Scheme: "http", Level: "public"}, {Port: 70000, Scheme: "http", Level: "public"},
			{Port: 1, Scheme: "ftp", Level: "public"}, {Port: 1, Scheme: "http", Level: "owner"}, {Port: 1, Scheme: "http"}} {
			want(t, "a share that is none", share(h.mel, "", p), berth.Invalid)
		}
		want(t, "an agent that is not there", share(h.mel, "other", good), berth.NotFound)
		inside := h.mel
		inside.Scopes = []authz.Scope{authz.ScopeWorkspace}
		want(t, "a share with a workspace's own login", share(inside, "", good), berth.Forbidden)
		must(t, share(h.mel, "", good))
		if o, err := open(8080); err != nil || !o.HTTPS || o.Level != berth.ShareOrganization {
			t.Errorf("a shared port: %+v, %v", o, err)
		}
		_, err = open(8081)
		want(t, "the port beside it", err, berth.NotFound)

		// Kept over a stop and a start.
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Stop}))
		h.run(stopped(2))
		_, err = open(8080)
		want(t, "a port of a stopped workspace", err, berth.NotFound)
		mel, err := ws.OpenApp(ctx, h.mel.UserID, h.signedIn(h.mel), berth.AppRef{Owner: "mel", Workspace: "box", Port: 8080}, false)
		if err != nil || mel.Status != berth.StatusStopped || !mel.MayStart {
			t.Errorf("the owner of a stopped workspace: %+v, %v", mel, err)
		}
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start}))
		h.startApps(3)
		if _, err := open(8080); err != nil {
			t.Errorf("after a stop and a start: %v", err)
		}

		limit := "owner"
		_, err = h.templates.Edit(ctx, h.admin, "", "dev", templates.Edit{MaxShare: &limit})
		must(t, err)
		_, err = open(8080)
		want(t, "a port above the template's maximum", err, berth.NotFound)
		want(t, "sharing above the maximum", share(h.mel, "", good), berth.Invalid)
		want(t, "eve unshares", ws.UnsharePort(ctx, h.eve, id, "", 8080), berth.NotFound)
		must(t, ws.UnsharePort(ctx, h.mel, id, "-", 8080))
		want(t, "unsharing twice", ws.UnsharePort(ctx, h.mel, id, "-", 8080), berth.NotFound)
	})
}

func TestAppHealthIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.withApps()
		ws, ctx := h.workspaces, t.Context()
		found, _, err := ws.List(ctx, h.mel, "", "", 0)
		must(t, err)
		agents, err := ws.Agents(ctx, h.mel, found[0].Workspace.ID)
		must(t, err)
		who := workspaces.AgentIdentity{Agent: agents[0].Agent, Workspace: found[0].Workspace}
		must(t, ws.AgentHello(ctx, who, "1", "", 100))
		must(t, ws.AgentApps(ctx, who, 100, map[string]string{"app-owner": "healthy", "app-public": "wonderful", "of-another": "healthy"}))
		agents, err = ws.Agents(ctx, h.mel, found[0].Workspace.ID)
		must(t, err)
		if got := agents[0].Agent.AppHealth; len(got) != 1 || got["app-owner"] != berth.AppHealthy {
			t.Errorf("health: %v", got)
		}
		want(t, "a leftover's report", ws.AgentApps(ctx, who, 99, nil), berth.Conflict)
	})
}
