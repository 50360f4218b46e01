package organizations_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/organizations"
	"github.com/berthdev/berth/internal/store"
)

func TestMembers(t *testing.T) {
	each(t, func(h *house) {
		boss := h.as(h.member(h.acme, "boss", berth.RoleOwner))
		keeper := h.as(h.member(h.acme, "keeper", berth.RoleUserAdmin))
		mel := h.as(h.member(h.acme, "mel"))
		ana := h.user("ana")
		s, ctx := h.tenants, t.Context()
		add := func(actor authz.Actor, user string, roles ...berth.Role) error {
			_, err := s.AddMember(ctx, actor, "acme", user, roles)
			return err
		}
		h.want("a member adds somebody", add(mel, "ana"), berth.Forbidden)
		h.want("a user admin adds an owner", add(keeper, "ana", berth.RoleOwner), berth.Forbidden)
		h.want("a role that is none", add(boss, "ana", "boss"), berth.Invalid)
		h.want("a role of everybody", add(boss, "ana", berth.RoleMember), berth.Invalid)
		h.want("somebody who is not there", add(boss, "nobody"), berth.NotFound)
		h.want("the system", add(boss, berth.PrebuildsUsername), berth.NotFound)
		h.must(add(keeper, "ANA"))
		h.must(add(keeper, "ana")) // again changes nothing
		if n := len(h.recorded(h.acme.ID)); n != 1 {
			t.Errorf("%d rows for one that was added", n)
		}
		h.want("a user admin makes a member an auditor", add(keeper, "ana", berth.RoleAuditor), berth.Forbidden)
		h.must(add(boss, "ana", berth.RoleAuditor))
		if m := h.membership(h.acme.ID, ana); !slices.Equal(m.Roles, []berth.Role{berth.RoleAuditor}) {
			t.Errorf("ana is %+v", m)
		}
		rows, next, err := s.Members(ctx, mel, "acme", organizations.ListMembers{Limit: 3})
		if err != nil || len(rows) != 3 || rows[0].User.Username != "ana" || next != "keeper" {
			t.Errorf("members are %+v, then %q, %v", rows, next, err)
		}
		rows, next, err = s.Members(ctx, mel, "acme", organizations.ListMembers{Limit: 3, After: next})
		if err != nil || len(rows) != 1 || rows[0].User.Username != "mel" || next != "" {
			t.Errorf("more members are %+v, then %q, %v", rows, next, err)
		}
		for query, want := range map[string]string{"role:auditor": "ana", "OSS": "boss", "role:owner bo": "boss", "%": ""} {
			rows, _, err := s.Members(ctx, mel, "acme", organizations.ListMembers{Query: query})
			if err != nil || (want == "") != (len(rows) == 0) || want != "" && (len(rows) != 1 || rows[0].User.Username != want) {
				t.Errorf("%s finds %+v, %v", query, rows, err)
			}
		}
		_, _, err = s.Members(ctx, mel, "acme", organizations.ListMembers{Query: "role:king"})
		h.want("a query for a role that is none", err, berth.Invalid)

		_, err = s.RemoveMember(ctx, keeper, "acme", "ana")
		h.want("a user admin removes somebody with roles", err, berth.Forbidden)
		_, err = s.RemoveMember(ctx, mel, "acme", "me")
		h.want("a member removes somebody", err, berth.Forbidden)
		_, err = s.RemoveMember(ctx, keeper, "acme", "mel")
		h.must(err)
		_, err = s.RemoveMember(ctx, keeper, "acme", "mel")
		h.want("removing somebody twice", err, berth.NotFound)
		if m := h.as(h.reload(mel.UserID)).Memberships; len(m) > 0 {
			t.Errorf("mel is still in %+v", m)
		}
	})
}

// reload is a user by id.
func (h *house) reload(id berth.UserID) (u berth.User) {
	h.Helper()
	h.write(func(tx *store.Tx) (err error) {
		u, err = tx.User(id)
		return err
	})
	return u
}

func TestRolesAreEditedOneByOne(t *testing.T) {
	each(t, func(h *house) {
		boss := h.as(h.member(h.acme, "boss", berth.RoleOwner))
		keeper := h.as(h.member(h.acme, "keeper", berth.RoleUserAdmin))
		ana := h.member(h.acme, "ana")
		edit := func(actor authz.Actor, add, remove []berth.Role) error {
			_, err := h.tenants.EditRoles(t.Context(), actor, "acme", "ana", add, remove)
			return err
		}
		var all sync.WaitGroup
		errs := make([]error, len(berth.OrganizationRoles))
		for i, r := range berth.OrganizationRoles {
			all.Go(func() { errs[i] = edit(boss, []berth.Role{r}, nil) })
		}
		all.Wait()
		for _, err := range errs {
			h.must(err)
		}
		if m := h.membership(h.acme.ID, ana); !slices.Equal(m.Roles, berth.OrganizationRoles) {
			t.Errorf("of roles given at once some are lost: %v", m.Roles)
		}
		h.must(edit(boss, nil, []berth.Role{berth.RoleOwner, berth.RoleAuditor}))
		if m := h.membership(h.acme.ID, ana); !slices.Equal(m.Roles, []berth.Role{berth.RoleUserAdmin, berth.RoleTemplateAdmin}) {
			t.Errorf("ana has %v", m.Roles)
		}
		h.want("a user admin gives roles", edit(keeper, []berth.Role{berth.RoleOwner}, nil), berth.Forbidden)
		h.want("a user admin gives themselves one", func() error {
			_, err := h.tenants.EditRoles(t.Context(), keeper, "acme", "me", []berth.Role{berth.RoleOwner}, nil)
			return err
		}(), berth.Forbidden)
		h.want("adding and removing at once", edit(boss, []berth.Role{berth.RoleOwner}, []berth.Role{berth.RoleOwner}), berth.Invalid)
		h.want("a role that is none", edit(boss, nil, []berth.Role{"king"}), berth.Invalid)
		row := h.recorded(h.acme.ID)[0]
		if row.Action != "edit" || row.Kind != "member" || row.TargetName != "ana" || row.Changes["roles"].New == nil {
			t.Errorf("recorded %+v", row)
		}
	})
}
