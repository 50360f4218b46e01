package workspaces_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/workspaces"
)

// now is an actor as they are by now: with the groups that they were put into.
func (h *house) now(who authz.Actor) (actor authz.Actor) {
	h.t.Helper()
	must(h.t, h.db.Read(h.t.Context(), func(q *store.Query) error {
		u, err := q.User(who.UserID)
		if err != nil {
			return err
		}
		w, err := accounts.WhoIs(q, u)
		actor = authz.User(w, authz.ScopeAll)
		return err
	}))
	return actor
}

func (h *house) write(f func(tx *store.Tx, o berth.Organization) error) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		o, err := tx.OrganizationRef("")
		if err != nil {
			return err
		}
		return f(tx, o)
	}))
}

// group makes a group with members.
func (h *house) group(name string, members ...authz.Actor) {
	h.t.Helper()
	h.write(func(tx *store.Tx, o berth.Organization) error {
		g := berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o.ID, Name: name}
		err := tx.InsertGroup(g)
		for _, m := range members {
			err = errors.Join(err, tx.AddToGroup(g.ID, m.UserID, berth.SourceUser))
		}
		return err
	})
}

func (h *house) share(who authz.Actor, id berth.WorkspaceID, wanted ...sharing.Share) error {
	_, err := h.workspaces.Share(h.t.Context(), who, id, wanted)
	return err
}

func with(name string, role berth.GrantRole) sharing.Share {
	return sharing.Share{User: name, Role: role}
}

func (h *house) unshare(who authz.Actor, id berth.WorkspaceID, users ...string) error {
	return h.workspaces.Unshare(h.t.Context(), who, id, users, nil)
}

// Who has a workspace by a share does what the share says, and nothing more.
func TestWhatSharesAllow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		use, admin, guest := h.person("una"), h.person("max"), h.person("gus")
		h.push("dev", "v1", contents(berth.Parameter{Name: "cpus", Type: "number", Default: "2", Mutable: true},
			berth.Parameter{Name: "debug", Type: "bool", Default: "false", Mutable: true, Ephemeral: true}))
		view, _ := h.running(h.mel, "box")
		id, build := view.Workspace.ID, view.Build.Build.ID
		h.group("guests", guest)
		must(t, h.share(h.mel, id, with("una", "use"), with("MAX", "admin"), sharing.Share{Group: "Guests", Role: "use"}))
		guest = h.now(guest)
		orgOwner := h.person("olga")
		h.write(func(tx *store.Tx, o berth.Organization) error {
			return tx.PutMember(berth.Membership{OrganizationID: o.ID, UserID: orgOwner.UserID, Roles: []berth.Role{berth.RoleOwner}})
		})
		orgOwner = h.now(orgOwner)
		manager := h.person("tim")
		must(t, func() error {
			_, err := h.templates.Grant(t.Context(), h.admin, "", "dev", []sharing.Share{with("tim", "admin")})
			return err
		}())

		inside := h.mel
		inside.Scopes = []authz.Scope{authz.ScopeWorkspace}
		reading := use
		reading.Scopes = []authz.Scope{authz.ScopeRead}
		who := map[string]authz.Actor{"the owner": h.mel, "use": use, "use by group": guest, "admin": admin, "a colleague": h.eve,
			"owner of the organization": orgOwner, "owner of the site": h.owner, "template-admin": h.admin, "manager of the template": manager,
			"inside": inside, "use, to read": reading}
		everybody := func(but ...string) (names []string) {
			for name := range who {
				if !slices.Contains(but, name) {
					names = append(names, name)
				}
			}
			return names
		}
		outside := []string{"a colleague", "manager of the template"}
		ctx := t.Context()
		for _, c := range []struct {
			what string
			do   func(a authz.Actor) error
			may  []string
		}{
			{"see it", func(a authz.Actor) error { _, err := h.workspaces.Get(ctx, a, id); return err }, everybody(outside...)},
			{"find it", func(a authz.Actor) error { _, err := h.workspaces.Find(ctx, a, "mel", "box"); return err }, everybody(outside...)},
			{"list its builds", func(a authz.Actor) error { _, _, err := h.workspaces.Builds(ctx, a, id, "", 0); return err }, everybody(outside...)},
			{"read a build", func(a authz.Actor) error { _, err := h.workspaces.GetBuild(ctx, a, build); return err }, everybody(outside...)},
			{"read its log", func(a authz.Actor) error { _, err := h.workspaces.Logs(ctx, a, build, 0, 10); return err }, everybody(outside...)},
			{"read an agent's log", func(a authz.Actor) error { _, _, err := h.workspaces.AgentLogs(ctx, a, id, "", "", 10); return err }, everybody(outside...)},
			{"see its apps", func(a authz.Actor) error { _, err := h.workspaces.SharedOf(ctx, a, id); return err }, everybody(outside...)},
			{"see its shares", func(a authz.Actor) error { _, err := h.workspaces.Shares(ctx, a, id); return err }, everybody(outside...)},
			{"enter it", func(a authz.Actor) error { _, err := h.workspaces.ResolveAgent(ctx, a, id, ""); return err },
				[]string{"the owner", "use", "use by group", "admin", "owner of the site", "inside"}},
			{"start it", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Start})
				return h.cancel(err, id)
			}, []string{"the owner", "use", "use by group", "admin", "owner of the site", "owner of the organization", "inside"}},
			{"start it with what is asked each time", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{"debug": "true"}})
				return h.cancel(err, id)
			}, []string{"the owner", "use", "use by group", "admin", "owner of the site", "owner of the organization", "inside"}},
			{"stop it", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Stop})
				return h.cancel(err, id)
			}, []string{"the owner", "use", "use by group", "admin", "owner of the site", "owner of the organization", "inside"}},
			{"start it with other answers", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Start, Parameters: map[string]string{"cpus": "4"}})
				return h.cancel(err, id)
			}, []string{"the owner", "admin", "owner of the site", "owner of the organization", "inside"}},
			{"rename it", func(a authz.Actor) error {
				name := "box"
				_, err := h.workspaces.Edit(ctx, a, id, workspaces.Edit{Name: &name})
				return err
			},
				[]string{"the owner", "admin", "owner of the site", "owner of the organization", "inside"}},
			{"share it to use", func(a authz.Actor) error { return h.share(a, id, with("una", "use")) },
				[]string{"the owner", "admin", "owner of the site"}},
			{"open a port to the organization", func(a authz.Actor) error {
				_, _, err := h.workspaces.SharePort(ctx, a, id, "", berth.PortShare{Port: 80, Scheme: "http", Level: berth.ShareOrganization})
				return err
			}, []string{"the owner", "admin", "owner of the site"}},
			{"open a port to the world", func(a authz.Actor) error {
				_, _, err := h.workspaces.SharePort(ctx, a, id, "", berth.PortShare{Port: 80, Scheme: "http", Level: berth.SharePublic})
				return err
			}, []string{"the owner", "owner of the site"}},
			{"give the role admin", func(a authz.Actor) error {
				return errors.Join(h.share(a, id, with("eve", "admin")), h.unshare(h.mel, id, "eve"))
			},
				[]string{"the owner", "owner of the site"}},
			{"destroy what is persistent", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Start, AllowDestroy: []string{"docker_volume.home"}})
				return h.cancel(err, id)
			}, []string{"the owner", "owner of the site", "owner of the organization"}},
			{"read its state", func(a authz.Actor) error { _, err := h.workspaces.State(ctx, a, id); return err },
				[]string{"template-admin", "owner of the organization", "owner of the site"}},
			{"list its states", func(a authz.Actor) error { _, err := h.workspaces.StateVersions(ctx, a, id); return err },
				[]string{"template-admin", "owner of the organization", "owner of the site"}},
			{"delete it", func(a authz.Actor) error {
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Delete})
				return h.cancel(err, id)
			}, []string{"the owner", "owner of the organization", "owner of the site"}},
			{"delete it and leave what it made", func(a authz.Actor) error {
				must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Start})) // nothing takes back an orphan delete: it meets a conflict
				err := h.build(a, id, workspaces.BuildInput{Transition: berth.Delete, Orphan: true})
				if berth.ErrorCode(err) == berth.Conflict {
					err = nil
				}
				return errors.Join(err, h.cancel(nil, id))
			}, []string{"owner of the organization", "owner of the site"}},
		} {
			for name, actor := range who {
				err := c.do(actor)
				switch {
				case slices.Contains(c.may, name):
					if err != nil && berth.ErrorCode(err) != berth.NotFound || err != nil && strings.Contains(berth.ErrorMessage(err), "check the name") {
						t.Errorf("%s may not %s: %v", name, c.what, err)
					}
				case err == nil || berth.ErrorCode(err) == berth.Conflict:
					t.Errorf("%s may %s: %v", name, c.what, err)
				case slices.Contains(outside, name) && berth.ErrorCode(err) != berth.NotFound:
					t.Errorf("%s learns that there is something to %s: %v", name, c.what, err)
				case !slices.Contains(outside, name) && berth.ErrorCode(err) == berth.NotFound:
					t.Errorf("%s sees it but is told that it is not there when they %s: %v", name, c.what, err)
				}
			}
		}
		for name, actor := range who {
			_, err := h.workspaces.RotateAgentKey(ctx, actor, id)
			may := slices.Contains([]string{"the owner", "owner of the organization", "owner of the site"}, name)
			if allowed := err == nil || errors.Is(err, berth.Conflict); allowed != may {
				t.Errorf("%s changes its keys: %v", name, err)
			}
		}
		// A new version is for who may change it.
		h.push("dev", "v2", contents())
		want(t, "an update by use", h.build(use, id, workspaces.BuildInput{Transition: berth.Start, Update: true}), berth.Forbidden)
		want(t, "a version by use", h.build(use, id, workspaces.BuildInput{Transition: berth.Start, Version: "v2"}), berth.Forbidden)
		must(t, h.build(use, id, workspaces.BuildInput{Transition: berth.Start, Version: "v1"}))
		must(t, h.cancel(nil, id))
		must(t, h.build(admin, id, workspaces.BuildInput{Transition: berth.Start, Update: true}))
		newest, err := h.workspaces.Get(ctx, use, id)
		must(t, err)
		_, err = h.workspaces.Cancel(ctx, use, newest.Build.Build.ID, false, "")
		want(t, "who may use it cancels what another asked for", err, berth.Forbidden)
		must(t, h.cancel(nil, id))
		must(t, h.build(use, id, workspaces.BuildInput{Transition: berth.Stop}))
		newest, err = h.workspaces.Get(ctx, use, id)
		must(t, err)
		_, err = h.workspaces.Cancel(ctx, use, newest.Build.Build.ID, false, "")
		must(t, err)
	})
}

// cancel takes the build back that an action made, if it made one.
func (h *house) cancel(err error, id berth.WorkspaceID) error {
	if err == nil {
		v, err := h.workspaces.Get(h.t.Context(), h.owner, id)
		must(h.t, err)
		_, err = h.workspaces.Cancel(h.t.Context(), h.owner, v.Build.Build.ID, false, "")
		must(h.t, err)
	}
	return err
}

// Who is let in at what they hold, whom nobody finds, and who gets out.
func TestSharesAreMadeAndEnded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		bob, max := h.person("bob"), h.person("max")
		h.stranger("zed")
		h.push("dev", "v1", contents())
		view, _ := h.running(h.mel, "box")
		id := view.Workspace.ID
		for what, wrong := range map[string][]sharing.Share{
			"nobody":               nil,
			"no name":              {{Role: "use"}},
			"two names":            {{User: "bob", Group: "Everyone", Role: "use"}},
			"no role":              {{User: "bob"}},
			"a made-up role":       {with("bob", "owner")},
			"somebody elsewhere":   {with("zed", "use")},
			"somebody unknown":     {with("nobody", "use")},
			"the system user":      {with("prebuilds", "use")},
			"the owner":            {with("mel", "admin")},
			"an unknown group":     {{Group: "none", Role: "use"}},
			"one good and one bad": {with("bob", "use"), with("zed", "use")},
		} {
			want(t, what, h.share(h.mel, id, wrong...), berth.Invalid)
		}
		if e, f := h.share(h.mel, id, with("zed", "use")), h.share(h.mel, id, with("nobody", "use")); strings.ReplaceAll(e.Error(), "zed", "nobody") != f.Error() {
			t.Errorf("somebody elsewhere is told from nobody: %v, %v", e, f)
		}
		if rows, err := h.workspaces.Shares(t.Context(), h.mel, id); err != nil || len(rows) != 0 {
			t.Fatalf("after all that was refused: %v, %v", rows, err)
		}
		must(t, h.share(h.mel, id, with("max", "admin")))
		must(t, h.share(max, id, with("bob", "use")))
		must(t, h.share(max, id, with("bob", "use"))) // again: nothing to do
		want(t, "an admin makes an admin", h.share(max, id, with("bob", "admin")), berth.Forbidden)
		want(t, "an admin makes themselves less", h.share(max, id, with("max", "use")), berth.Forbidden)
		want(t, "use shares", h.share(bob, id, with("eve", "use")), berth.Forbidden)
		want(t, "use ends another's", h.unshare(bob, id, "max"), berth.Forbidden)
		want(t, "a colleague shares", h.share(h.eve, id, with("eve", "use")), berth.NotFound)
		want(t, "a colleague ends", h.unshare(h.eve, id, "bob"), berth.NotFound)
		want(t, "nobody is named", h.unshare(h.mel, id), berth.Invalid)
		want(t, "it is not shared with eve", h.unshare(h.mel, id, "eve"), berth.NotFound)
		reader := bob
		reader.Scopes = []authz.Scope{authz.ScopeRead}
		want(t, "a token that may read leaves", h.unshare(reader, id, "me"), berth.Forbidden)
		if n := h.audits(id, "share"); n != 2 {
			t.Errorf("%d shares in the record", n)
		}

		login, maxLogin := h.signedIn(bob), h.signedIn(max)
		let := workspaces.Admission{User: bob.UserID, Login: login, Workspace: id}
		keeps := workspaces.Admission{User: max.UserID, Login: maxLogin, Workspace: id}
		refused := func() map[workspaces.Admission]error {
			t.Helper()
			out, err := h.workspaces.Refused(t.Context(), []workspaces.Admission{let, keeps})
			must(t, err)
			return out
		}
		if out := refused(); len(out) != 0 {
			t.Fatalf("they may connect: %v", out)
		}
		rings, stop := h.workspaces.WatchAdmission(let)
		defer stop()
		must(t, h.unshare(max, id, "BOB"))
		select {
		case <-rings:
		case <-time.After(time.Minute):
			t.Error("nothing was rung for")
		}
		if out := refused(); len(out) != 1 || out[let] == nil {
			t.Errorf("unshared, and let in: %v", out)
		}
		_, err := h.workspaces.Get(t.Context(), bob, id)
		want(t, "unshared, it is not there", err, berth.NotFound)

		// By a group, and Everyone; out with the group, and with the switch.
		h.group("team", bob)
		bob = h.now(bob)
		must(t, h.share(h.mel, id, sharing.Share{Group: "TEAM", Role: "use"}))
		if out := refused(); len(out) != 0 {
			t.Errorf("by the group: %v", out)
		}
		h.write(func(tx *store.Tx, o berth.Organization) error { o.Sharing = false; return tx.UpdateOrganization(o) })
		if out := refused(); len(out) != 2 {
			t.Errorf("nobody shares here: %v", out)
		}
		for _, who := range []authz.Actor{bob, max} {
			if list, _, err := h.workspaces.List(t.Context(), who, "", "", 0); err != nil || len(list) != 0 {
				t.Errorf("%s lists it all the same: %v, %v", who.Username, list, err)
			}
			if list, _, err := h.workspaces.ListBuilds(t.Context(), who, "", "", 0); err != nil || len(list) != 0 {
				t.Errorf("%s lists its builds all the same: %v, %v", who.Username, list, err)
			}
		}
		want(t, "sharing where nobody does", h.share(h.mel, id, with("eve", "use")), berth.Forbidden)
		h.write(func(tx *store.Tx, o berth.Organization) error { o.Sharing = true; return tx.UpdateOrganization(o) })
		if out := refused(); len(out) != 0 {
			t.Errorf("it is allowed again: %v", out)
		}
		h.write(func(tx *store.Tx, o berth.Organization) error {
			g, err := tx.GroupRef(o.ID, "team")
			if err != nil {
				return err
			}
			return tx.RemoveFromGroup(g.ID, bob.UserID)
		})
		if out := refused(); out[let] == nil {
			t.Error("out of the group, and let in")
		}
		must(t, h.share(h.mel, id, sharing.Share{Group: "Everyone", Role: "use"}))
		if out := refused(); len(out) != 0 {
			t.Errorf("everybody: %v", out)
		}
		must(t, h.unshare(max, id, "me")) // who was let in leaves by themselves
		must(t, h.workspaces.Unshare(t.Context(), h.mel, id, nil, []string{"everyone", "team"}))

		// Who leaves the organization and comes back has nothing any more.
		must(t, h.share(h.mel, id, with("bob", "use")))
		h.write(func(tx *store.Tx, o berth.Organization) error {
			return errors.Join(tx.RemoveMember(o.ID, bob.UserID), tx.AddMember(o.ID, bob.UserID))
		})
		if out := refused(); out[let] == nil {
			t.Error("back in the organization, and let in")
		}
		// What is deleted is shared with nobody.
		must(t, h.share(h.mel, id, with("bob", "use")))
		must(t, h.build(h.mel, id, workspaces.BuildInput{Transition: berth.Delete}))
		h.run(builds.Report{})
		h.write(func(tx *store.Tx, _ berth.Organization) error {
			left, err := tx.Grants(store.WorkspaceGrants(id))
			if len(left) > 0 {
				t.Errorf("shares of what is gone: %v", left)
			}
			return err
		})
	})
}

// Lists have what is shared, by whom and with whom.
func TestListsOfShared(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		bob := h.person("bob")
		h.group("team", bob)
		bob = h.now(bob)
		h.push("dev", "v1", contents())
		make := func(who authz.Actor, name string, shares ...sharing.Share) {
			v, err := h.workspaces.Create(t.Context(), who, workspaces.Create{Name: name, Template: "dev"})
			must(t, err)
			if len(shares) > 0 {
				must(t, h.share(who, v.Workspace.ID, shares...))
			}
		}
		make(h.mel, "private")
		make(h.mel, "tobob", with("bob", "admin"))
		make(h.mel, "toteam", sharing.Share{Group: "team", Role: "use"})
		make(h.mel, "toall", sharing.Share{Group: "Everyone", Role: "use"}, with("bob", "use"))
		make(bob, "bobs", with("mel", "use"))
		for _, c := range []struct {
			who         authz.Actor
			query, want string
		}{
			{bob, "", "bobs toall toteam tobob"},
			{bob, "owner:me", "bobs"},
			{bob, "shared:me", "toall toteam tobob"},
			{bob, "shared:me owner:mel tob", "tobob"},
			{bob, "shared:true", "bobs toall toteam tobob"},
			{bob, "shared_with_user:me", "toall tobob"},
			{bob, "shared_with_user:MEL", "bobs"},
			{bob, "shared_with_group:Team", "toteam"},
			{h.mel, "shared:me", "bobs"},
			{h.mel, "shared:false", "private"},
			{h.mel, "owner:me shared:true", "toall toteam tobob"},
			{h.eve, "", "toall"},
			{h.eve, "shared_with_user:bob", "toall"},
			{h.eve, "shared_with_group:team", ""},
			{h.owner, "shared:me", "toall"},
			{h.owner, "shared_with_user:bob", "toall tobob"},
			{h.owner, "shared_with_user:nobody", ""},
		} {
			list, _, err := h.workspaces.List(t.Context(), c.who, c.query, "", 0)
			must(t, err)
			var got []string
			for _, v := range list {
				got = append(got, v.Workspace.Name)
				if v.Shared != (v.Workspace.Name != "private") {
					t.Errorf("%s is shared: %v", v.Workspace.Name, v.Shared)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s %q: %v, want %s", c.who.Username, c.query, got, c.want)
			}
		}
		_, _, err := h.workspaces.List(t.Context(), bob, "shared:perhaps", "", 0)
		want(t, "shared:perhaps", err, berth.Invalid)
		if list, _, err := h.workspaces.ListBuilds(t.Context(), bob, "", "", 0); err != nil || len(list) != 4 {
			t.Errorf("builds that bob may see: %d, %v", len(list), err)
		}
	})
}

// What a template runs acts with what the owner of the workspace has. So nobody
// but an owner of the site makes workspaces for others, whom an owner of an
// organization could add to it without asking; and the login of a workspace is
// good in its own organization alone.
func TestTenantsDoNotActAsTheirMembers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.push("dev", "v1", contents())
		view, _ := h.running(h.mel, "box")
		olga := h.person("olga")
		elsewhere := berth.Organization{ID: berth.NewID[berth.Organization](), Name: "elsewhere", CreatedAt: time.Now(), UpdatedAt: time.Now()}
		h.write(func(tx *store.Tx, o berth.Organization) error {
			return errors.Join(tx.PutMember(berth.Membership{OrganizationID: o.ID, UserID: olga.UserID, Roles: []berth.Role{berth.RoleOwner}}),
				tx.InsertOrganization(elsewhere), tx.AddMember(elsewhere.ID, h.mel.UserID))
		})
		olga = h.now(olga)
		if _, err := h.workspaces.Create(t.Context(), olga, workspaces.Create{Name: "trap", Owner: "mel", Template: "dev"}); !errors.Is(err, berth.Forbidden) {
			t.Errorf("an owner of the organization makes a workspace for mel: %v", err)
		}
		if _, err := h.workspaces.Create(t.Context(), h.owner, workspaces.Create{Name: "help", Owner: "mel", Template: "dev"}); err != nil {
			t.Errorf("an owner of the site makes one: %v", err)
		}
		var inside authz.Actor
		must(t, h.db.Read(t.Context(), func(q *store.Query) error {
			u, err := q.User(h.mel.UserID)
			if err == nil {
				inside, err = accounts.ActorOf(q, berth.Token{Kind: berth.TokenWorkspace, UserID: u.ID, WorkspaceID: view.Workspace.ID}, u)
			}
			return err
		}))
		for action, want := range map[authz.Action]bool{authz.Create: true, authz.Start: true, authz.Connect: true} {
			if got := authz.Can(inside, action, authz.OfWorkspace(h.mel.UserID, view.Workspace.OrganizationID)); got != want {
				t.Errorf("%s at home: %v", action, got)
			}
			if authz.Can(inside, action, authz.OfWorkspace(h.mel.UserID, elsewhere.ID)) {
				t.Errorf("what runs in a workspace may %s in another organization of its owner", action)
			}
		}
		if authz.Can(inside, authz.Read, authz.OfOrganization(elsewhere.ID)) {
			t.Error("what runs in a workspace sees another organization of its owner")
		}
	})
}
