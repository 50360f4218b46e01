package authz_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

// What is promised of the policy, whatever its table says.

var (
	anyRole   = append(slices.Clone(berth.SiteRoles), berth.RoleMember, "made-up")
	anyScope  = []authz.Scope{authz.ScopeAll, authz.ScopeRead, authz.ScopeConnect, authz.ScopeWorkspace, authz.ScopePassword, "workspace:*", "*:read", "template:update", "user:*", "nonsense", "x:y"}
	anyKind   = append(slices.Clone(authz.Kinds), "made-up")
	anyAction = append(slices.Clone(authz.Actions), "made-up")
)

func roles(t *rapid.T, label string) []berth.Role {
	return rapid.SliceOfN(rapid.SampledFrom(anyRole), 0, 2).Draw(t, label)
}

// person draws a user with roles, memberships and groups.
func person(t *rapid.T) authz.Who {
	w := authz.Who{User: berth.User{ID: me, Username: "me", Roles: roles(t, "roles")}}
	for _, o := range []berth.OrganizationID{here, away} {
		if rapid.Bool().Draw(t, "member of "+string(o)) {
			w.Memberships = append(w.Memberships, berth.Membership{OrganizationID: o, UserID: me, Roles: roles(t, "roles in "+string(o))})
			if rapid.Bool().Draw(t, "in a group of "+string(o)) {
				w.Groups = append(w.Groups, berth.Group{ID: berth.GroupID("crew " + o), OrganizationID: o})
			}
		}
	}
	return w
}

func scopes(t *rapid.T) []authz.Scope {
	return rapid.SliceOfN(rapid.SampledFrom(anyScope), 0, 3).Draw(t, "scopes")
}

// thing draws a resource.
func thing(t *rapid.T) authz.Resource {
	r := authz.Resource{
		Kind:           rapid.SampledFrom(anyKind).Draw(t, "kind"),
		OwnerID:        rapid.SampledFrom([]berth.UserID{"", me, other}).Draw(t, "owner"),
		OrganizationID: rapid.SampledFrom([]berth.OrganizationID{"", here, away, "third"}).Draw(t, "organization"),
	}
	if r.Kind == authz.KindUser || r.Kind == authz.KindMember {
		r.Privileged = rapid.Bool().Draw(t, "privileged")
	}
	for range rapid.IntRange(0, 2).Draw(t, "grants") {
		to := rapid.SampledFrom([]berth.Grantee{
			{Kind: berth.GranteeUser, ID: string(me)}, {Kind: berth.GranteeUser, ID: string(other)},
			{Kind: berth.GranteeGroup, ID: string(here)}, {Kind: berth.GranteeGroup, ID: string(away)},
			{Kind: berth.GranteeGroup, ID: "crew " + string(here)}, {Kind: berth.GranteeGroup, ID: "crew " + string(away)},
			{Kind: berth.GranteeGroup, ID: string(me)}, // a group that is called as the user is not the user
			{Kind: "made-up", ID: string(me)},
		}).Draw(t, "grantee")
		role := rapid.SampledFrom(append(slices.Clone(berth.GrantRoles), "made-up")).Draw(t, "role of the grant")
		r.Grants = append(r.Grants, berth.Grant{To: to, Role: role})
	}
	return r
}

func TestPromisesOfThePolicy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		who, on, action := person(t), thing(t), rapid.SampledFrom(anyAction).Draw(t, "action")
		some := scopes(t)
		full := authz.Can(authz.User(who, authz.ScopeAll), action, on)
		narrow := authz.Can(authz.User(who, some...), action, on)

		if narrow && !full {
			t.Fatalf("a token with scopes %q may %s what its user may not", some, action)
		}
		if authz.Can(authz.User(who), action, on) {
			t.Fatal("a token without a scope may do something")
		}
		if more := append(slices.Clone(some), rapid.SampledFrom(anyScope).Draw(t, "one more")); narrow && !slices.Contains(more, authz.ScopeWorkspace) &&
			!authz.Can(authz.User(who, more...), action, on) {
			t.Fatalf("a scope more takes %s away", action)
		}
		plain := who
		plain.User.Roles = nil
		if authz.Can(authz.User(plain, authz.ScopeAll), action, on) && !full {
			t.Fatalf("a role takes %s away", action)
		}
		fewer := on
		fewer.Grants = nil
		if authz.Can(authz.User(who, some...), action, fewer) && !narrow {
			t.Fatalf("a share takes %s away", action)
		}
		if authz.Can(authz.Actor{Scopes: []authz.Scope{authz.ScopeAll}, Roles: who.User.Roles, Memberships: who.Memberships}, action, on) {
			t.Fatal("nobody may do something")
		}
		meant := slices.Contains(on.Kind.Actions(), action)
		if full && !meant {
			t.Fatalf("somebody may %s a %s, which means nothing", action, on.Kind)
		}
		if meant != authz.Can(authz.System("sys"), action, on) {
			t.Fatalf("the system may %s a %s: %v", action, on.Kind, !meant)
		}
		if on.Privileged && narrow && on.OwnerID != me && action != authz.Read && (on.Kind == authz.KindUser || on.Kind == authz.KindMember) &&
			!slices.Contains(who.User.Roles, berth.RoleOwner) && !(on.Kind == authz.KindMember && ownsOrganization(who, on.OrganizationID)) {
			t.Fatalf("who owns neither the site nor the organization may %s somebody with roles", action)
		}
	})
}

func ownsOrganization(w authz.Who, o berth.OrganizationID) bool {
	return slices.ContainsFunc(w.Memberships, func(m berth.Membership) bool {
		return m.OrganizationID == o && slices.Contains(m.Roles, berth.RoleOwner)
	})
}

// Whoever has no role of the site reaches nothing in an organization that they
// are not a member of, but what they own.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	open := []authz.Kind{authz.KindRole, authz.KindProvider, authz.KindServer} // of the site
	rapid.Check(t, func(t *rapid.T) {
		who, on, action := person(t), thing(t), rapid.SampledFrom(authz.Actions).Draw(t, "action")
		who.User.Roles = nil
		inside := slices.ContainsFunc(who.Memberships, func(m berth.Membership) bool { return m.OrganizationID == on.OrganizationID })
		if inside || on.OwnerID == me || slices.Contains(open, on.Kind) {
			return
		}
		if authz.Can(authz.User(who, authz.ScopeAll), action, on) {
			t.Fatalf("somebody from outside may %s it", action)
		}
		if err := authz.Check(authz.User(who, authz.ScopeAll), action, on, "it"); err == nil || err.Error() != authz.Hidden("it").Error() {
			t.Fatalf("somebody from outside is told that it exists: %v", err)
		}
	})
}

// What a token may not do to anything of a kind is answered the same whether
// there is such a thing or not, and so is what the actor may not read.
func TestCheckTellsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := authz.User(person(t), scopes(t)...)
		if rapid.IntRange(0, 9).Draw(t, "nobody") == 0 {
			a = authz.Actor{}
		}
		on, action := thing(t), rapid.SampledFrom(authz.Actions).Draw(t, "action")
		got := authz.Check(a, action, on, "it")
		if (got == nil) != authz.Can(a, action, on) {
			t.Fatalf("Check: %v, Can: %v", got, authz.Can(a, action, on))
		}
		missing := authz.Missing(a, action, on.Kind, "it")
		if got != nil && !authz.Can(a, authz.Read, on) && got.Error() != missing.Error() {
			t.Fatalf("who may not read it is told %q, and %q of what is not there", got, missing)
		}
		switch code := berth.ErrorCode(got); {
		case a.Anonymous() && code != berth.Unauthenticated:
			t.Fatalf("nobody is told %v", got)
		case got != nil && authz.Can(a, authz.Read, on) && code != berth.Forbidden:
			t.Fatalf("who may read it is told %v", got)
		}
	})
}

// See bounds lists to what Can says of each thing: exactly, of reading; never to
// more, of other actions.
func TestSeeIsCanOfEach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := authz.User(person(t), scopes(t)...)
		on, action := thing(t), rapid.SampledFrom(authz.Actions).Draw(t, "action")
		seen, can := sees(authz.See(a, action, on.Kind), on), authz.Can(a, action, on)
		switch on.Kind {
		case authz.KindTemplate, authz.KindArchive:
			on.OwnerID = "" // they have none
			seen, can = sees(authz.See(a, action, on.Kind), on), authz.Can(a, action, on)
		}
		if seen && !can {
			t.Fatalf("a list to %s has what they may not", action)
		}
		if can && !seen && action == authz.Read {
			t.Fatal("a list leaves out what they may read")
		}
	})
}

// sees is what store.where.visible does in SQL.
func sees(v berth.Visible, on authz.Resource) bool {
	if v.All || v.Own != "" && v.Own == on.OwnerID || slices.Contains(v.Organizations, on.OrganizationID) {
		return true
	}
	return slices.Contains(v.In, on.OrganizationID) && slices.ContainsFunc(on.Grants, func(g berth.Grant) bool {
		return slices.Contains(v.Grantees, g.To) && slices.Contains(v.Roles, g.Role)
	})
}

// Nobody makes a token that does more than the one that they come with.
func TestTokensDoNotGrow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, on, action := person(t), thing(t), rapid.SampledFrom(authz.Actions).Draw(t, "action")
		mine := scopes(t)
		wanted := rapid.SliceOfN(rapid.SampledFrom([]authz.Scope{authz.ScopeAll, authz.ScopeRead, authz.ScopeConnect, "workspace:*", "*:read", "template:update", "*:*"}), 0, 2).Draw(t, "wanted")
		if slices.Contains(mine, authz.ScopeWorkspace) {
			return // makes none at all: see the grid
		}
		if authz.User(w, mine...).Covers(wanted) && authz.Can(authz.User(w, wanted...), action, on) && !authz.Can(authz.User(w, mine...), action, on) {
			t.Fatalf("a token of %q made one of %q, which may %s more", mine, wanted, action)
		}
	})
}
