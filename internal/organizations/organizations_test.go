package organizations_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

func TestCreateEditDelete(t *testing.T) {
	each(t, func(h *house) {
		root := h.root()
		o, err := h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: "blue", DisplayName: " Blue team ", Description: "paints"})
		h.must(err)
		if o.DisplayName != "Blue team" || !o.Sharing || !o.ConnectStarts || o.AutostartDays != berth.EveryDay || o.Default {
			t.Errorf("made %+v", o)
		}
		for name, code := range map[string]berth.Code{"BLUE": berth.Conflict, "default": berth.Invalid, "Default": berth.Invalid, "a b": berth.Invalid, "": berth.Invalid,
			string(berth.NewID[berth.Organization]()): berth.Invalid} {
			_, err := h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: name})
			h.want("creating "+name, err, code)
		}
		days, off, four := berth.Weekdays(1<<time.Monday|1<<time.Friday), 2*time.Hour, 4
		e := organizations.Edit{Name: new("navy"), AutostartDays: &days, AutoOff: &off, AutoOffByUser: new(false), IdleCounts: new(true), Sharing: new(false),
			ConnectStarts: new(false), DisplayName: new(""), Description: new("paints more"),
			Limits: organizations.EditLimits{Workspaces: &four, Running: &four, WorkspacesPerUser: &four, RunningPerUser: &four}}
		edited, err := h.tenants.Edit(t.Context(), root, "Blue", e)
		h.must(err)
		shown, err := h.tenants.Get(t.Context(), root, "navy")
		h.must(err)
		want := o
		want.Name, want.DisplayName, want.Description, want.ConnectStarts, want.IdleCounts, want.Sharing = "navy", "", "paints more", false, true, false
		want.AutostartDays, want.AutoOff, want.AutoOffByUser, want.UpdatedAt = days, off, false, shown.UpdatedAt
		want.Limits = berth.WorkspaceLimits{Workspaces: 4, Running: 4, WorkspacesPerUser: 4, RunningPerUser: 4}
		if shown != want || edited.Organization != want {
			t.Errorf("edited to\n%+v\nshown as\n%+v\nwant\n%+v", edited, shown, want)
		}
		row := h.recorded(o.ID)[0]
		if row.Action != "edit" || row.TargetName != "blue" || row.Changes["name"].New != "navy" || len(row.Changes) != 13 {
			t.Errorf("recorded %+v", row)
		}
		_, err = h.tenants.Edit(t.Context(), root, "navy", e)
		h.must(err)
		if n := len(h.recorded(o.ID)); n != 2 {
			t.Errorf("%d rows after an edit that changes nothing", n)
		}
		h.must(h.tenants.Delete(t.Context(), root, "navy"))
		_, err = h.tenants.Get(t.Context(), root, "navy")
		h.want("showing a deleted one", err, berth.NotFound)
		_, err = h.tenants.Get(t.Context(), root, string(o.ID))
		h.want("showing it by id", err, berth.NotFound)
		h.want("deleting the default one", h.tenants.Delete(t.Context(), root, "default"), berth.Conflict)
		_, err = h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: "Navy"})
		h.must(err)
		_, err = h.tenants.Edit(t.Context(), root, "default", organizations.Edit{Name: new("main")})
		h.must(err)
		for _, ref := range []string{"default", "", "main"} {
			if o, err := h.tenants.Get(t.Context(), root, ref); err != nil || !o.Default {
				t.Errorf("%q names %+v, %v", ref, o, err)
			}
		}
	})
}

func TestSettingsThatNobodyCanHave(t *testing.T) {
	each(t, func(h *house) {
		root := h.root()
		second, minus, huge, long := time.Second, -1, 1<<40, strings.Repeat("x", 2000)
		for field, e := range map[string]organizations.Edit{
			"name":                       {Name: new("default")},
			"display_name":               {DisplayName: &long},
			"description":                {Description: &long},
			"auto_off_seconds":           {AutoOff: &second},
			"limits.workspaces":          {Limits: organizations.EditLimits{Workspaces: &minus}},
			"limits.running":             {Limits: organizations.EditLimits{Running: &huge}},
			"limits.workspaces_per_user": {Limits: organizations.EditLimits{WorkspacesPerUser: &minus}},
			"limits.running_per_user":    {Limits: organizations.EditLimits{RunningPerUser: &huge}},
		} {
			_, err := h.tenants.Edit(t.Context(), root, "acme", e)
			h.want(field, err, berth.Invalid)
			if !strings.HasPrefix(err.Error(), field) {
				t.Errorf("%s: said %v", field, err)
			}
		}
	})
}

func TestDeleteNamesWhatIsLeft(t *testing.T) {
	each(t, func(h *house) {
		root, ana := h.root(), h.member(h.acme, "ana")
		tpl := berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: h.acme.ID, Name: "docker", CreatedBy: ana.ID}
		var ids []berth.WorkspaceID
		h.write(func(tx *store.Tx) error {
			ids = nil
			p, err := tx.ProviderRef("")
			if err != nil {
				return err
			}
			tpl.CreatedAt, tpl.UpdatedAt = tx.Now, tx.Now
			if err := tx.InsertTemplate(tpl); err != nil {
				return err
			}
			for i := range 4 {
				w := berth.Workspace{ID: berth.NewID[berth.Workspace](), OrganizationID: h.acme.ID, ProviderID: p.ID, OwnerID: ana.ID, TemplateID: tpl.ID,
					Name: fmt.Sprint("w", i), CreatedAt: tx.Now.Add(time.Duration(i)), UpdatedAt: tx.Now}
				ids = append(ids, w.ID)
				if err := tx.InsertWorkspace(w, []byte("sealed")); err != nil {
					return err
				}
			}
			return nil
		})
		err := h.tenants.Delete(t.Context(), root, "acme")
		h.want("deleting it with workspaces", err, berth.Conflict)
		for _, part := range []string{"ana/w", " and others", "templates (docker)"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("it says %v, without %q", err, part)
			}
		}
		left, err := h.tenants.RemoveMember(t.Context(), root, "acme", "ana")
		h.must(err)
		if !slices.Equal(left, []string{"w0", "w1", "w2", "w3"}) {
			t.Errorf("ana leaves %v", left)
		}
		w := authz.OfWorkspace(ana.ID, h.acme.ID)
		for action, may := range map[authz.Action]bool{authz.Read: true, authz.Connect: true, authz.Stop: true, authz.Delete: true, authz.Start: false, authz.Create: false, authz.Update: false, authz.Share: false} {
			if authz.Can(h.as(ana), action, w) != may {
				t.Errorf("somebody who left may %s their workspace: %v", action, !may)
			}
		}
		h.write(func(tx *store.Tx) error {
			for _, id := range ids {
				if err := tx.DeleteWorkspace(id); err != nil {
					return err
				}
			}
			return nil
		})
		h.want("deleting it with a template", h.tenants.Delete(t.Context(), root, "acme"), berth.Conflict)
		h.write(func(tx *store.Tx) error { return tx.DeleteTemplate(tpl.ID) })
		bob := h.member(h.acme, "bob", berth.RoleOwner)
		h.must(h.tenants.Delete(t.Context(), root, "acme"))
		if m := h.as(bob).Memberships; len(m) > 0 {
			t.Errorf("bob is still in %+v", m)
		}
	})
}

// An organization that is deleted while somebody makes something in it either
// stays, or nothing was made.
func TestDeleteMeetsACreation(t *testing.T) {
	each(t, func(h *house) {
		root, ana := h.root(), h.user("ana", berth.RoleOwner)
		for i := range 5 {
			name := fmt.Sprint("short-lived-", i)
			o, err := h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: name})
			h.must(err)
			var made, deleted error
			var both sync.WaitGroup
			both.Go(func() { deleted = h.tenants.Delete(t.Context(), root, name) })
			both.Go(func() {
				made = h.db.Write(t.Context(), func(tx *store.Tx) error {
					o, err := tx.OrganizationRef(name)
					if err != nil {
						return err
					}
					return tx.InsertTemplate(berth.Template{ID: berth.NewID[berth.Template](), OrganizationID: o.ID, Name: "t", CreatedBy: ana.ID, CreatedAt: tx.Now, UpdatedAt: tx.Now})
				})
			})
			both.Wait()
			if (made == nil) == (deleted == nil) {
				t.Errorf("%s: making a template in it: %v, deleting it: %v", o.Name, made, deleted)
			}
		}
	})
}

// Two renames at once: each is made or told why not, and the name that is left
// was asked for by somebody.
func TestRenamesAtOnce(t *testing.T) {
	each(t, func(h *house) {
		root := h.root()
		_, err := h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: "blue"})
		h.must(err)
		errs := make([]error, 2)
		var all sync.WaitGroup
		for i, name := range []string{"acme", "blue"} {
			all.Go(func() { _, errs[i] = h.tenants.Edit(t.Context(), root, name, organizations.Edit{Name: new("red")}) })
		}
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("two organizations of one name: %v, %v", errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil {
				h.want("the loser", err, berth.Conflict)
			}
		}
		// Of the same one: another field that is edited at that moment is not lost.
		all.Go(func() {
			_, errs[0] = h.tenants.Edit(t.Context(), root, "red", organizations.Edit{DisplayName: new("Red")})
		})
		all.Go(func() {
			_, errs[1] = h.tenants.Edit(t.Context(), root, "red", organizations.Edit{Description: new("of roses")})
		})
		all.Wait()
		o, err := h.tenants.Get(t.Context(), root, "red")
		h.must(err)
		if errs[0] != nil || errs[1] != nil || o.DisplayName != "Red" || o.Description != "of roses" {
			t.Errorf("%v, %v: %+v", errs[0], errs[1], o)
		}
	})
}

// Nothing of an organization is there for those who are not in it, whatever
// role they have in another one.
func TestStrangersFindNothing(t *testing.T) {
	each(t, func(h *house) {
		h.member(h.acme, "ana")
		root := h.root()
		_, err := h.tenants.CreateGroup(t.Context(), root, "acme", organizations.NewGroup{Name: "ops"})
		h.must(err)
		eve := h.as(h.member(h.home, "eve", berth.OrganizationRoles...))
		here := func(f func(ref string) error) map[string]error {
			return map[string]error{"acme": f("acme"), "nothing": f("nothing"), string(h.acme.ID): f(string(h.acme.ID))}
		}
		s, ctx := h.tenants, t.Context()
		for what, errs := range map[string]map[string]error{
			"show": here(func(ref string) error { _, err := s.Get(ctx, eve, ref); return err }),
			"edit": here(func(ref string) error {
				_, err := s.Edit(ctx, eve, ref, organizations.Edit{Name: new("mine")})
				return err
			}),
			"delete":  here(func(ref string) error { return s.Delete(ctx, eve, ref) }),
			"members": here(func(ref string) error { _, _, err := s.Members(ctx, eve, ref, organizations.ListMembers{}); return err }),
			"member":  here(func(ref string) error { _, err := s.Member(ctx, eve, ref, "ana"); return err }),
			"join": here(func(ref string) error {
				_, err := s.AddMember(ctx, eve, ref, "me", []berth.Role{berth.RoleOwner})
				return err
			}),
			"roles": here(func(ref string) error {
				_, err := s.EditRoles(ctx, eve, ref, "ana", []berth.Role{berth.RoleOwner}, nil)
				return err
			}),
			"remove": here(func(ref string) error { _, err := s.RemoveMember(ctx, eve, ref, "ana"); return err }),
			"groups": here(func(ref string) error { _, _, err := s.Groups(ctx, eve, ref, "", 0); return err }),
			"group":  here(func(ref string) error { _, err := s.Group(ctx, eve, ref, "ops"); return err }),
			"create group": here(func(ref string) error {
				_, err := s.CreateGroup(ctx, eve, ref, organizations.NewGroup{Name: "mine"})
				return err
			}),
			"edit group": here(func(ref string) error {
				_, err := s.EditGroup(ctx, eve, ref, "ops", organizations.EditGroup{Name: new("mine")})
				return err
			}),
			"delete group":  here(func(ref string) error { return s.DeleteGroup(ctx, eve, ref, "ops") }),
			"group members": here(func(ref string) error { _, _, err := s.GroupMembers(ctx, eve, ref, "ops", "", 0); return err }),
			"into group":    here(func(ref string) error { return s.AddToGroup(ctx, eve, ref, "ops", "me") }),
			"out of group":  here(func(ref string) error { return s.RemoveFromGroup(ctx, eve, ref, "ops", "ana") }),
			"providers":     here(func(ref string) error { _, err := s.Providers(ctx, eve, ref); return err }),
			"allow":         here(func(ref string) error { return s.AllowProvider(ctx, eve, ref, berth.BuiltInProvider) }),
			"deny":          here(func(ref string) error { return s.DenyProvider(ctx, eve, ref, berth.BuiltInProvider) }),
		} {
			for ref, err := range errs {
				h.want(what+" of "+ref, err, berth.NotFound)
				if got, want := fmt.Sprint(err), strings.ReplaceAll(fmt.Sprint(errs["nothing"]), "nothing", ref); got != want {
					t.Errorf("%s: it says %q of what is there, and %q of what is not", what, got, want)
				}
			}
		}
		list, _, err := s.List(ctx, eve, "", 0)
		if err != nil || len(list) != 1 || list[0].ID != h.home.ID {
			t.Errorf("eve sees %+v, %v", list, err)
		}
		for what, err := range map[string]error{
			"show": func() error { _, err := s.Get(ctx, authz.Actor{}, "acme"); return err }(),
			"list": func() error { _, _, err := s.List(ctx, authz.Actor{}, "", 0); return err }(),
			"create": func() error {
				_, err := s.Create(ctx, authz.Actor{}, organizations.NewOrganization{Name: "x"})
				return err
			}(),
			"members": func() error {
				_, _, err := s.Members(ctx, authz.Actor{}, "acme", organizations.ListMembers{})
				return err
			}(),
		} {
			h.want(what+" as nobody", err, berth.Unauthenticated)
		}
	})
}

func TestListIsPaged(t *testing.T) {
	each(t, func(h *house) {
		root := h.root()
		for i := range 5 {
			_, err := h.tenants.Create(t.Context(), root, organizations.NewOrganization{Name: fmt.Sprint("o", i)})
			h.must(err)
		}
		var names []string
		after := ""
		for range 10 {
			page, next, err := h.tenants.List(t.Context(), root, after, 3)
			h.must(err)
			for _, o := range page {
				names = append(names, o.Name)
			}
			if after = next; next == "" {
				break
			}
		}
		if want := []string{"default", "acme", "o0", "o1", "o2", "o3", "o4"}; !slices.Equal(names, want) && len(names) != len(want) {
			t.Errorf("listed %v, want %v", names, want)
		}
		_, _, err := h.tenants.List(t.Context(), root, "nonsense", 3)
		h.want("a place that is none", err, berth.Invalid)
	})
}
