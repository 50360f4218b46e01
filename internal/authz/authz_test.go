package authz_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

var update = flag.Bool("update", false, "rewrite testdata")

const (
	me    = berth.UserID("me")
	other = berth.UserID("other")
	here  = berth.OrganizationID("here")
	away  = berth.OrganizationID("away")
)

func actor(scope authz.Scope, roles ...berth.Role) authz.Actor {
	return authz.User(authz.Who{User: berth.User{ID: me, Username: "me", Roles: roles}}.In(here), scope)
}

// whose are the ways in which a resource can stand to the actor.
var whose = []struct {
	name     string
	resource func(authz.Kind) authz.Resource
}{
	{"own, in own organization", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: me, OrganizationID: here}
	}},
	{"own, in another organization", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: me, OrganizationID: away}
	}},
	{"another's, in own organization", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: other, OrganizationID: here}
	}},
	{"another's, in another organization", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: other, OrganizationID: away}
	}},
	{"all of them", authz.All},
}

// TestPolicyGrid prints who may do what. A change here is a change of policy:
// read the diff, then run with -update.
func TestPolicyGrid(t *testing.T) {
	t.Parallel()
	columns := []struct {
		name  string
		actor authz.Actor
	}{
		{"owner", actor(authz.ScopeAll, berth.RoleOwner)},
		{"template-admin", actor(authz.ScopeAll, berth.RoleTemplateAdmin)},
		{"user-admin", actor(authz.ScopeAll, berth.RoleUserAdmin)},
		{"auditor", actor(authz.ScopeAll, berth.RoleAuditor)},
		{"member", actor(authz.ScopeAll)},
		{"member's workspace token", actor(authz.ScopeWorkspace)},
		{"owner's workspace token", actor(authz.ScopeWorkspace, berth.RoleOwner)},
		{"nobody", authz.Actor{}},
	}
	var grid strings.Builder
	for _, kind := range authz.Kinds {
		for _, w := range whose {
			fmt.Fprintf(&grid, "%s: %s\n", kind, w.name)
			for _, c := range columns {
				var may []string
				for _, a := range authz.Actions {
					if authz.Can(c.actor, a, w.resource(kind)) {
						may = append(may, string(a))
					}
				}
				line := "-"
				if len(may) > 0 {
					line = strings.Join(may, " ")
				}
				fmt.Fprintf(&grid, "    %-26s%s\n", c.name, line)
			}
		}
	}
	const path = "testdata/policy.golden"
	if *update {
		if err := os.WriteFile(path, []byte(grid.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), grid.String()); diff != "" {
		t.Errorf("the policy changed (- golden, + now); if that is meant, run: go test ./internal/authz -update\n%s", diff)
	}
}

func TestPromisesOfThePolicy(t *testing.T) {
	t.Parallel()
	kinds, actions := rapid.SampledFrom(authz.Kinds), rapid.SampledFrom(authz.Actions)
	roles := rapid.SliceOf(rapid.SampledFrom([]berth.Role{berth.RoleOwner, berth.RoleTemplateAdmin, berth.RoleUserAdmin, berth.RoleAuditor, berth.RoleMember, "made-up"}))
	resource := rapid.Custom(func(t *rapid.T) authz.Resource {
		return authz.Resource{
			Kind:           kinds.Draw(t, "kind"),
			OwnerID:        rapid.SampledFrom([]berth.UserID{"", me, other}).Draw(t, "owner"),
			OrganizationID: rapid.SampledFrom([]berth.OrganizationID{"", here, away}).Draw(t, "organization"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rs, on, action := roles.Draw(t, "roles"), resource.Draw(t, "resource"), actions.Draw(t, "action")
		full := authz.Can(actor(authz.ScopeAll, rs...), action, on)
		if authz.Can(actor(authz.ScopeWorkspace, rs...), action, on) && !full {
			t.Fatalf("a narrower token may %s %+v, its user may not", action, on)
		}
		if authz.Can(actor("", rs...), action, on) {
			t.Fatal("a token without a scope may do something")
		}
		if authz.Can(actor(authz.ScopeAll), action, on) && !full {
			t.Fatalf("a role takes %s of %+v away", action, on)
		}
		if authz.Can(authz.Actor{Scopes: []authz.Scope{authz.ScopeAll}, Roles: rs}, action, on) {
			t.Fatal("nobody may do something")
		}
		if slices.Contains(on.Kind.Actions(), action) && !authz.Can(authz.System("sys"), action, on) {
			t.Fatal("the system may not do something")
		}
	})
}

func TestCheckHidesWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	theirs := authz.OfWorkspace(other, here)
	for _, c := range []struct {
		name   string
		actor  authz.Actor
		action authz.Action
		on     authz.Resource
		want   error
	}{
		{"nobody is told to sign in", authz.Actor{}, authz.Read, theirs, berth.Unauthenticated},
		{"another's workspace is not there", actor(authz.ScopeAll), authz.Delete, theirs, berth.NotFound},
		{"a template admin sees it and may not enter", actor(authz.ScopeAll, berth.RoleTemplateAdmin), authz.Connect, theirs, berth.Forbidden},
		{"the owner of the site enters", actor(authz.ScopeAll, berth.RoleOwner), authz.Connect, theirs, nil},
		{"a member may not change a template", actor(authz.ScopeAll), authz.Update, authz.OfTemplate(here, berth.Grant{To: berth.Grantee{Kind: berth.GranteeGroup, ID: string(here)}, Role: berth.GrantUse}), berth.Forbidden},
		{"a workspace's token makes no tokens", actor(authz.ScopeWorkspace), authz.Create, authz.OfToken(me), berth.Forbidden},
		{"of nobody", actor(authz.ScopeWorkspace), authz.Create, authz.OfToken(other), berth.Forbidden},
	} {
		err := authz.Check(c.actor, c.action, c.on, "workspace x")
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
