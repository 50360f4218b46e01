package authz_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

func TestCheckHidesWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	theirs := authz.OfWorkspace(other, here)
	shared := func(role berth.GrantRole) authz.Resource {
		return authz.OfWorkspace(other, here, berth.Grant{To: berth.Grantee{Kind: berth.GranteeUser, ID: string(me)}, Role: role})
	}
	plain := authz.OfTemplate(here, berth.Grant{To: berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(here))}, Role: berth.GrantUse})
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
		{"the owner of the organization does not", member(nil, []berth.Role{berth.RoleOwner}, authz.ScopeAll), authz.Connect, theirs, berth.Forbidden},
		{"a member may not change a template", actor(authz.ScopeAll), authz.Update, plain, berth.Forbidden},
		{"a workspace's token makes no tokens", actor(authz.ScopeWorkspace), authz.Create, authz.OfToken(me), berth.Forbidden},
		{"of nobody", actor(authz.ScopeWorkspace), authz.Create, authz.OfToken(other), berth.Forbidden},
		{"with whom it is shared enters", actor(authz.ScopeAll), authz.Connect, shared(berth.GrantUse), nil},
		{"and may not change it", actor(authz.ScopeAll), authz.Update, shared(berth.GrantUse), berth.Forbidden},
		{"or delete it", actor(authz.ScopeAll), authz.Delete, shared(berth.GrantAdmin), berth.Forbidden},
		{"nor does what runs in their workspace", actor(authz.ScopeWorkspace), authz.Connect, shared(berth.GrantAdmin), berth.NotFound},
		{"a small token is refused whether there is a thing or not", actor("template:read"), authz.Read, theirs, berth.Forbidden},
		{"so is who has to change a password", actor(authz.ScopePassword, berth.RoleOwner), authz.Read, theirs, berth.Forbidden},
	} {
		err := authz.Check(c.actor, c.action, c.on, "workspace x")
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// Who administers users cannot become somebody with more rights, nor can who
// has got hold of their token become them.
func TestNobodyEscalates(t *testing.T) {
	t.Parallel()
	admin := actor(authz.ScopeAll, berth.RoleUserAdmin)
	orgAdmin := member(nil, []berth.Role{berth.RoleUserAdmin}, authz.ScopeAll)
	orgOwner := member(nil, []berth.Role{berth.RoleOwner}, authz.ScopeAll)
	who := func(id berth.UserID, site, there []berth.Role) authz.Who {
		return authz.Who{User: berth.User{ID: id, Roles: site}, Memberships: []berth.Membership{{OrganizationID: here, UserID: id, Roles: there}}}
	}
	some := []berth.Role{berth.RoleAuditor}
	system := authz.OfPerson(authz.Who{User: berth.User{ID: other, System: true}})
	for _, c := range []struct {
		name   string
		actor  authz.Actor
		action authz.Action
		on     authz.Resource
		may    bool
	}{
		{"changes a user", admin, authz.Update, authz.OfPerson(who(other, nil, nil)), true},
		{"changes one with a role of the site", admin, authz.Update, authz.OfPerson(who(other, some, nil)), false},
		{"changes one with a role in an organization", admin, authz.Delete, authz.OfPerson(who(other, nil, some)), false},
		{"changes a system user", admin, authz.Update, system, false},
		{"reads one with roles", admin, authz.Read, authz.OfPerson(who(other, some, some)), true},
		{"deletes themselves", admin, authz.Delete, authz.OfPerson(who(me, []berth.Role{berth.RoleUserAdmin}, nil)), false},
		{"gives roles of the site", admin, authz.Assign, authz.All(authz.KindRole), false},
		{"gives roles in an organization", admin, authz.Assign, authz.In(authz.KindRole, here), false},
		{"makes tokens of others", admin, authz.Create, authz.OfToken(other), false},
		{"an organization's changes users", orgAdmin, authz.Update, authz.OfPerson(who(other, nil, nil)), false},
		{"removes a member", orgAdmin, authz.Delete, authz.OfMember(berth.Membership{OrganizationID: here, UserID: other}), true},
		{"removes one with roles", orgAdmin, authz.Delete, authz.OfMember(berth.Membership{OrganizationID: here, UserID: other, Roles: some}), false},
		{"gives roles there", orgAdmin, authz.Assign, authz.In(authz.KindRole, here), false},
		{"an organization's owner gives roles there", orgOwner, authz.Assign, authz.In(authz.KindRole, here), true},
		{"elsewhere", orgOwner, authz.Assign, authz.In(authz.KindRole, away), false},
		{"of the site", orgOwner, authz.Assign, authz.All(authz.KindRole), false},
		{"shares somebody's workspace with themselves", orgOwner, authz.Share, authz.OfWorkspace(other, here), false},
	} {
		if got := authz.Can(c.actor, c.action, c.on); got != c.may {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestScopesAreChecked(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"all", "read", "connect", "workspace:start", "workspace:*", "*:read", "*:*", "audit:read"} {
		if _, err := authz.ParseScopes("scopes", []string{good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "workspace", "password", "workspace:fly", "plane:start", "audit:start", ":", "a:b:c", "*:fly", "ALL"} {
		if _, err := authz.ParseScopes("scopes", []string{bad}); !errors.Is(err, berth.Invalid) {
			t.Errorf("%q is a scope: %v", bad, err)
		}
	}
	got, _ := authz.ParseScopes("scopes", []string{"read", "workspace:start", "read"})
	if !slices.Equal(got, []authz.Scope{"read", "workspace:start"}) {
		t.Errorf("scopes that are given twice: %q", got)
	}
}

func TestLoginsWithAnOldPassword(t *testing.T) {
	t.Parallel()
	u := berth.User{ID: me, MustChangePassword: true}
	all := []string{string(authz.ScopeAll)}
	for _, c := range []struct {
		name  string
		token berth.Token
		want  authz.Scope
	}{
		{"by password", berth.Token{Kind: berth.TokenLogin, SignIn: berth.SignInPassword, Scopes: all}, authz.ScopePassword},
		{"by an identity provider", berth.Token{Kind: berth.TokenLogin, SignIn: "corp", Scopes: all}, authz.ScopeAll},
		{"a program's", berth.Token{Kind: berth.TokenAPI, SignIn: berth.SignInPassword, Scopes: all}, authz.ScopeAll},
		{"a workspace's", berth.Token{Kind: berth.TokenWorkspace, Scopes: all}, authz.ScopeWorkspace},
	} {
		if got := authz.ScopesOf(c.token, u); !slices.Equal(got, []authz.Scope{c.want}) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// What runs in a workspace, which its template decides, only looks at its
// owner's workspaces in other organizations.
func TestWorkspacesStayInTheirOrganization(t *testing.T) {
	t.Parallel()
	const there = berth.OrganizationID("there")
	inside := authz.User(authz.Who{User: berth.User{ID: me, Username: "me"}}.In(here, there), authz.ScopeWorkspace)
	free := inside
	inside.Home = here
	for _, action := range authz.Actions {
		if authz.Can(free, action, authz.OfWorkspace(me, here)) != authz.Can(inside, action, authz.OfWorkspace(me, here)) {
			t.Errorf("%s at home changes", action)
		}
		if got := authz.Can(inside, action, authz.OfWorkspace(me, there)); got != (action == authz.Read) {
			t.Errorf("%s in another organization: %v", action, got)
		}
	}
}

// Who enters a shared workspace is its owner there. What runs in it reaches no
// other workspace of that owner.
func TestSharedWorkspacesAreConfined(t *testing.T) {
	t.Parallel()
	free := authz.User(authz.Who{User: berth.User{ID: me, Username: "me"}}.In(here), authz.ScopeWorkspace)
	confined := free
	confined.Shared = "this"
	itself, other, unmade := authz.OfWorkspace(me, here), authz.OfWorkspace(me, here), authz.OfWorkspace(me, here)
	itself.Workspace, other.Workspace = "this", "other"
	for _, action := range authz.Actions {
		if action != authz.Create && authz.Can(free, action, itself) != authz.Can(confined, action, itself) {
			t.Errorf("%s of itself changes with sharing", action)
		}
		for _, on := range []authz.Resource{other, unmade} {
			if got := authz.Can(confined, action, on); got != (action == authz.Read) {
				t.Errorf("%s of another workspace: %v", action, got)
			}
		}
	}
	if err := authz.Check(confined, authz.Connect, other, "the workspace"); !errors.Is(err, berth.Forbidden) || !strings.Contains(err.Error(), "is shared") {
		t.Errorf("connecting to another: %v", err)
	}
}
