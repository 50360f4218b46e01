package organizations_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

func TestGroups(t *testing.T) {
	each(t, func(h *house) {
		keeper, ana, bob := h.as(h.member(h.acme, "keeper", berth.RoleUserAdmin)), h.member(h.acme, "ana"), h.member(h.home, "bob")
		mel := h.as(h.member(h.acme, "mel"))
		s, ctx := h.tenants, t.Context()
		g, err := s.CreateGroup(ctx, keeper, "acme", organizations.NewGroup{Name: "ops", Allowance: berth.Allowance{Amount: 40}})
		h.must(err)
		_, err = s.CreateGroup(ctx, mel, "acme", organizations.NewGroup{Name: "mine"})
		h.want("a member makes a group", err, berth.Forbidden)
		for name, code := range map[string]berth.Code{"OPS": berth.Conflict, "everyone": berth.Invalid, "Prebuilds": berth.Invalid, "a/b": berth.Invalid, string(g.ID): berth.Invalid} {
			_, err := s.CreateGroup(ctx, keeper, "acme", organizations.NewGroup{Name: name})
			h.want("creating "+name, err, code)
		}
		_, err = s.CreateGroup(ctx, keeper, "acme", organizations.NewGroup{Name: "rich", Allowance: berth.Allowance{Amount: -1}})
		h.want("a negative allowance", err, berth.Invalid)
		// The same name in another organization is another group.
		_, err = s.CreateGroup(ctx, h.root(), "default", organizations.NewGroup{Name: "ops"})
		h.must(err)

		h.must(s.AddToGroup(ctx, keeper, "acme", "ops", "ana"))
		h.must(s.AddToGroup(ctx, keeper, "acme", string(g.ID), "ana"))
		h.want("somebody of another organization", s.AddToGroup(ctx, keeper, "acme", "ops", "bob"), berth.NotFound)
		h.want("somebody who is not there", s.AddToGroup(ctx, keeper, "acme", "ops", "nobody"), berth.NotFound)
		if a, b := s.AddToGroup(ctx, keeper, "acme", "ops", "bob"), s.AddToGroup(ctx, keeper, "acme", "ops", "nob"); strings.ReplaceAll(fmt.Sprint(a), "bob", "nob") != fmt.Sprint(b) {
			t.Errorf("it tells users of others apart: %v, %v", a, b)
		}
		h.want("a member joins", s.AddToGroup(ctx, mel, "acme", "ops", "me"), berth.Forbidden)
		h.want("into Everyone", s.AddToGroup(ctx, keeper, "acme", "Everyone", "ana"), berth.Conflict)
		h.want("out of Everyone", s.RemoveFromGroup(ctx, keeper, "acme", "Everyone", "ana"), berth.Conflict)
		h.want("deleting Everyone", s.DeleteGroup(ctx, keeper, "acme", "everyone"), berth.Conflict)
		_, err = s.EditGroup(ctx, keeper, "acme", "Everyone", organizations.EditGroup{Name: new("all")})
		h.want("renaming Everyone", err, berth.Conflict)
		everyone, err := s.EditGroup(ctx, keeper, "acme", "Everyone", organizations.EditGroup{Allowance: &berth.Allowance{Amount: 10}})
		if err != nil || everyone.Allowance != (berth.Allowance{Amount: 10}) || everyone.Members != 3 {
			t.Errorf("Everyone is %+v, %v", everyone, err)
		}
		members, _, err := s.GroupMembers(ctx, mel, "acme", "Everyone", "", 2)
		if err != nil || len(members) != 2 || members[0].User.Username != "ana" {
			t.Errorf("Everyone has %+v, %v", members, err)
		}
		members, _, err = s.GroupMembers(ctx, mel, "acme", "ops", "", 0)
		if err != nil || len(members) != 1 || members[0].User.ID != ana.ID || members[0].PutBy != berth.SourceUser {
			t.Errorf("ops has %+v, %v", members, err)
		}
		edited, err := s.EditGroup(ctx, keeper, "acme", "ops", organizations.EditGroup{Name: new("sre"), Allowance: &berth.Allowance{Amount: 3, Unlimited: true}})
		if err != nil || edited.Name != "sre" || edited.Allowance != (berth.Allowance{Unlimited: true}) || edited.Members != 1 {
			t.Errorf("edited to %+v, %v", edited, err)
		}
		row := h.recorded(h.acme.ID)[0]
		if row.TargetName != "ops" || row.Changes["allowance"].New != "unlimited" || row.Changes["name"].New != "sre" {
			t.Errorf("recorded %+v", row)
		}
		groups, next, err := s.Groups(ctx, mel, "acme", "", 1)
		if err != nil || len(groups) != 1 || groups[0].Name != "Everyone" || next != "Everyone" {
			t.Errorf("groups are %+v, then %q, %v", groups, next, err)
		}
		h.must(s.RemoveFromGroup(ctx, keeper, "acme", "sre", "ana"))
		h.want("removing twice", s.RemoveFromGroup(ctx, keeper, "acme", "sre", "ana"), berth.NotFound)
		h.must(s.DeleteGroup(ctx, keeper, "acme", "sre"))
		h.want("deleting twice", s.DeleteGroup(ctx, keeper, "acme", "sre"), berth.NotFound)
		_ = bob
	})
}

// What an identity provider keeps is not changed by hand.
func TestGroupsOfAnIdentityProvider(t *testing.T) {
	each(t, func(h *house) {
		ana := h.member(h.acme, "ana")
		root := h.root()
		h.syncGroups(ana, true, "dev")
		h.want("adding", h.tenants.AddToGroup(t.Context(), root, "acme", "dev", "ana"), berth.Conflict)
		h.want("removing", h.tenants.RemoveFromGroup(t.Context(), root, "acme", "dev", "ana"), berth.Conflict)
		g, err := h.tenants.EditGroup(t.Context(), root, "acme", "dev", organizations.EditGroup{Allowance: &berth.Allowance{Amount: 5}})
		if err != nil || g.Source != corp || g.Allowance.Amount != 5 {
			t.Errorf("the group is %+v, %v", g, err)
		}
		h.must(h.tenants.DeleteGroup(t.Context(), root, "acme", "dev"))
	})
}

// A deleted group takes what was shared with it along, and what is left of it
// gives nobody anything.
func TestDeletedGroupSharesNothing(t *testing.T) {
	each(t, func(h *house) {
		ana, root := h.member(h.acme, "ana"), h.root()
		g, err := h.tenants.CreateGroup(t.Context(), root, "acme", organizations.NewGroup{Name: "ops"})
		h.must(err)
		h.must(h.tenants.AddToGroup(t.Context(), root, "acme", "ops", "ana"))
		id := berth.NewID[berth.Template]()
		h.write(func(tx *store.Tx) error {
			err := tx.InsertTemplate(berth.Template{ID: id, OrganizationID: h.acme.ID, Name: "t", CreatedBy: ana.ID, CreatedAt: tx.Now, UpdatedAt: tx.Now})
			return errors.Join(err, tx.PutGrant(store.TemplateGrants(id), berth.Grant{To: berth.Grantee{Kind: berth.GranteeGroup, ID: string(g.ID)}, Role: berth.GrantAdmin}, ana.ID))
		})
		may := func() bool {
			var grants []berth.Grant
			h.write(func(tx *store.Tx) (err error) {
				grants, err = tx.Grants(store.TemplateGrants(id))
				return err
			})
			return authz.Can(h.as(ana), authz.Update, authz.OfTemplate(h.acme.ID, grants...))
		}
		if !may() {
			t.Fatal("the group's share gives its member nothing")
		}
		h.must(h.tenants.DeleteGroup(t.Context(), root, "acme", "ops"))
		if may() {
			t.Error("a deleted group's share still counts")
		}
	})
}

func TestPools(t *testing.T) {
	each(t, func(h *house) {
		ensure := func(presets ...berth.Preset) {
			h.write(func(tx *store.Tx) error { return organizations.EnsurePools(tx, h.acme.ID, presets) })
		}
		root := h.root()
		ensure(berth.Preset{Name: "small"})
		if _, err := h.tenants.Group(t.Context(), root, "acme", berth.PrebuildsGroup); !errors.Is(err, berth.NotFound) {
			t.Errorf("without a pool: %v", err)
		}
		ensure(berth.Preset{Name: "small"}, berth.Preset{Name: "warm", Instances: 2})
		ensure(berth.Preset{Name: "warm", Instances: 3})
		members, _, err := h.tenants.GroupMembers(t.Context(), root, "acme", berth.PrebuildsGroup, "", 0)
		if err != nil || len(members) != 1 || !members[0].User.System {
			t.Errorf("the group has %+v, %v", members, err)
		}
		h.want("deleting it", h.tenants.DeleteGroup(t.Context(), root, "acme", "prebuilds"), berth.Conflict)
		h.want("changing its members", h.tenants.AddToGroup(t.Context(), root, "acme", "prebuilds", "root"), berth.Conflict)
		_, err = h.tenants.RemoveMember(t.Context(), root, "acme", berth.PrebuildsUsername)
		h.want("removing the system user", err, berth.Conflict)
		g, err := h.tenants.EditGroup(t.Context(), root, "acme", "prebuilds", organizations.EditGroup{Allowance: &berth.Allowance{Amount: 100}})
		if err != nil || g.Allowance.Amount != 100 {
			t.Errorf("its allowance is %+v, %v", g, err)
		}
		if rows := h.recorded(h.acme.ID); !slices.ContainsFunc(rows, func(a store.Audit) bool { return a.Class == berth.AuditAutomatic && a.Reason != "" }) {
			t.Errorf("recorded %+v", rows)
		}
	})
}

func TestProviders(t *testing.T) {
	each(t, func(h *house) {
		root, boss := h.root(), h.as(h.member(h.acme, "boss", berth.RoleOwner))
		far := berth.Provider{ID: berth.NewID[berth.Provider](), Name: "far"}
		h.write(func(tx *store.Tx) error {
			far.CreatedAt = tx.Now
			return tx.InsertProvider(far, []byte("hash"))
		})
		names := func(actor authz.Actor) (names []string) {
			ps, err := h.tenants.Providers(t.Context(), actor, "acme")
			h.must(err)
			for _, p := range ps {
				names = append(names, p.Name)
			}
			return names
		}
		if got := names(boss); !slices.Equal(got, []string{berth.BuiltInProvider}) {
			t.Errorf("a new organization may use %v", got)
		}
		h.want("an owner of the organization allows one", h.tenants.AllowProvider(t.Context(), boss, "acme", "far"), berth.Forbidden)
		h.want("and one that is not there", h.tenants.AllowProvider(t.Context(), boss, "acme", "nothing"), berth.Forbidden)
		h.want("one that is not there", h.tenants.AllowProvider(t.Context(), root, "acme", "nothing"), berth.NotFound)
		for range 2 {
			h.must(h.tenants.AllowProvider(t.Context(), root, "acme", "FAR"))
		}
		h.must(h.tenants.DenyProvider(t.Context(), root, "acme", berth.BuiltInProvider))
		if got := names(boss); !slices.Equal(got, []string{"far"}) {
			t.Errorf("it may use %v", got)
		}
		if rows := h.recorded(h.acme.ID); len(rows) != 2 || rows[0].Action != "deny" || rows[1].Action != "allow" {
			t.Errorf("recorded %+v", rows)
		}
	})
}
