package organizations_test

import (
	"slices"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

const corp = berth.Source("corp")

func (h *house) sync(u berth.User, source berth.Source, wanted ...berth.Membership) {
	h.Helper()
	h.write(func(tx *store.Tx) error { return organizations.Sync(tx, u, source, wanted) })
}

func (h *house) syncGroups(u berth.User, create bool, names ...string) {
	h.Helper()
	h.write(func(tx *store.Tx) error {
		return organizations.SyncGroups(tx, u, h.acme.ID, corp, names, create)
	})
}

func in(o berth.Organization, roles ...berth.Role) berth.Membership {
	return berth.Membership{OrganizationID: o.ID, Roles: roles}
}

func TestSync(t *testing.T) {
	each(t, func(h *house) {
		ana := h.member(h.home, "ana")
		// What the provider names is made, with the roles that organizations have.
		h.sync(ana, corp, in(h.acme, berth.RoleAuditor, berth.RoleMember, "made-up"), in(h.acme, berth.RoleOwner))
		m := h.membership(h.acme.ID, ana)
		if m == nil || m.Source != corp || !slices.Equal(m.Roles, []berth.Role{berth.RoleOwner, berth.RoleAuditor}) {
			t.Fatalf("the membership is %+v", m)
		}
		if m := h.membership(h.home.ID, ana); m == nil || m.Source != berth.SourceUser {
			t.Errorf("the one made by hand is %+v", m)
		}
		rows := h.recorded(h.acme.ID)
		if len(rows) != 1 || rows[0].Action != "add" || rows[0].Class != berth.AuditAutomatic || rows[0].Reason == "" || rows[0].TargetName != "ana" {
			t.Errorf("recorded %+v", rows)
		}
		// Saying the same again changes and records nothing.
		h.sync(ana, corp, in(h.acme, berth.RoleAuditor, berth.RoleOwner))
		if n := len(h.recorded(h.acme.ID)); n != 1 {
			t.Errorf("%d rows after the same again", n)
		}
		// Without a word on roles they stay; none at all takes them.
		h.sync(ana, corp, in(h.acme))
		if m := h.membership(h.acme.ID, ana); len(m.Roles) != 2 {
			t.Errorf("roles %v after nothing was said about them", m.Roles)
		}
		h.sync(ana, corp, berth.Membership{OrganizationID: h.acme.ID, Roles: []berth.Role{}})
		if m := h.membership(h.acme.ID, ana); len(m.Roles) != 0 {
			t.Errorf("roles %v after none were said", m.Roles)
		}
		// It takes over what it names, and ends what it kept; another's and what
		// was made by hand stays.
		h.sync(ana, corp, in(h.home))
		if h.membership(h.acme.ID, ana) != nil {
			t.Error("a membership that is not named any more stayed")
		}
		if m := h.membership(h.home.ID, ana); m == nil || m.Source != corp {
			t.Errorf("the one that was taken over is %+v", m)
		}
		h.sync(ana, "other")
		if h.membership(h.home.ID, ana) == nil {
			t.Error("another provider ended a membership that it did not keep")
		}
		// What is not there, or no more, is skipped.
		h.sync(ana, corp, in(h.home), berth.Membership{OrganizationID: "nowhere"})
	})
}

func TestSyncGroups(t *testing.T) {
	each(t, func(h *house) {
		ana, bob := h.member(h.acme, "ana"), h.user("bob")
		root := h.root()
		_, err := h.tenants.CreateGroup(t.Context(), root, "acme", organizations.NewGroup{Name: "ops"})
		h.must(err)
		_, err = h.tenants.CreateGroup(t.Context(), root, "acme", organizations.NewGroup{Name: "art"})
		h.must(err)
		h.write(func(tx *store.Tx) error {
			g, err := tx.GroupRef(h.acme.ID, "art")
			if err != nil {
				return err
			}
			return tx.AddToGroup(g.ID, ana.ID, berth.SourceUser)
		})
		h.syncGroups(ana, false, "Ops", "dev", "Everyone", "prebuilds", "no/name", "ops", " ")
		if got := h.groups(ana); !slices.Equal(got, []string{"art", "ops"}) {
			t.Errorf("ana is in %v", got)
		}
		h.syncGroups(ana, true, "dev", "dev", "Everyone", "../up")
		if got := h.groups(ana); !slices.Equal(got, []string{"art", "dev"}) {
			t.Errorf("ana is in %v", got)
		}
		h.syncGroups(bob, true, "strangers")
		if got := h.groups(bob); len(got) > 0 {
			t.Errorf("somebody who is no member is in %v", got)
		}
		// Who leaves the organization leaves its groups, made by whom they may be.
		h.sync(ana, corp, in(h.acme))
		h.sync(ana, corp)
		if got := h.groups(ana); len(got) > 0 {
			t.Errorf("ana is in %v after leaving", got)
		}
	})
}
