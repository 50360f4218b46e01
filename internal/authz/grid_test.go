package authz_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// letters stand for actions in the grid.
var letters = map[authz.Action]byte{
	authz.Create: 'c', authz.Read: 'r', authz.Update: 'u', authz.Delete: 'd', authz.Start: 's', authz.Stop: 'p',
	authz.Connect: 'x', authz.Use: 'e', authz.Share: 'h', authz.Assign: 'a', authz.Govern: 'g',
}

// standings are the ways in which a thing can stand to the actor, who is a
// member of here.
var standings = []struct {
	name     string
	resource func(authz.Kind) authz.Resource
}{
	{"own", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: me, OrganizationID: here}
	}},
	{"own away", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: me, OrganizationID: away}
	}},
	{"here", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: other, OrganizationID: here}
	}},
	{"away", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: other, OrganizationID: away}
	}},
	{"with roles", func(k authz.Kind) authz.Resource {
		return authz.Resource{Kind: k, OwnerID: other, OrganizationID: here, Privileged: true}
	}},
	{"all", authz.All},
}

// asker is a line of the grid.
type asker struct {
	name  string
	actor authz.Actor
	grant berth.GrantRole // that things are shared with them in
}

func member(site []berth.Role, there []berth.Role, scopes ...authz.Scope) authz.Actor {
	return authz.User(authz.Who{User: berth.User{ID: me, Username: "me", Roles: site},
		Memberships: []berth.Membership{{OrganizationID: here, UserID: me, Roles: there}}}, scopes...)
}

func actor(scope authz.Scope, roles ...berth.Role) authz.Actor { return member(roles, nil, scope) }

func askers() (all []asker) {
	owner := []berth.Role{berth.RoleOwner}
	all = append(all, asker{name: "member", actor: member(nil, nil, authz.ScopeAll)})
	for _, r := range berth.SiteRoles {
		all = append(all, asker{name: "site's " + string(r), actor: member([]berth.Role{r}, nil, authz.ScopeAll)})
	}
	for _, r := range berth.OrganizationRoles {
		all = append(all, asker{name: "organization's " + string(r), actor: member(nil, []berth.Role{r}, authz.ScopeAll)})
	}
	for _, r := range berth.GrantRoles {
		all = append(all, asker{name: "shared with, to " + string(r), actor: member(nil, nil, authz.ScopeAll), grant: r})
	}
	for _, s := range []authz.Scope{authz.ScopeRead, authz.ScopeConnect, "workspace:start", authz.ScopeWorkspace, authz.ScopePassword} {
		all = append(all,
			asker{name: "site's owner's token " + string(s), actor: member(owner, nil, s)},
			asker{name: "member's token " + string(s), actor: member(nil, nil, s)},
			asker{name: "shared with, token " + string(s), actor: member(nil, nil, s), grant: berth.GrantAdmin})
	}
	return append(all, asker{name: "token without a scope", actor: member(owner, owner)})
}

// grid is who may do what; what would say nothing new has no line.
func grid() string {
	var out strings.Builder
	out.WriteString(`Who may do what to a thing of each kind. The askers are members of one organization. A thing is
  own         theirs, in their organization       own away   theirs, in another one
  here        somebody's in their organization    away       somebody's in another one
  with roles  as here, of somebody with roles     all        everybody's: what lists without bounds need
A role or a share without a line adds nothing to what a member may; a token without one may do nothing, and so may nobody.
`)
	for _, kind := range authz.Kinds {
		columns := slices.Clone(standings)
		if kind != authz.KindUser && kind != authz.KindMember {
			columns = slices.DeleteFunc(columns, func(s struct {
				name     string
				resource func(authz.Kind) authz.Resource
			}) bool {
				return s.name == "with roles"
			})
		}
		fmt.Fprintf(&out, "\n%s:", kind)
		for _, a := range kind.Actions() {
			fmt.Fprintf(&out, " %c %s", letters[a], a)
		}
		fmt.Fprintf(&out, "\n%-42s", "")
		for _, c := range columns {
			fmt.Fprintf(&out, " %-10s", c.name)
		}
		out.WriteByte('\n')
		plain, plainToken := "", ""
		for _, who := range askers() {
			cells, any := "", false
			for _, c := range columns {
				on := c.resource(kind)
				if who.grant != "" && on.OrganizationID != "" {
					on.Grants = []berth.Grant{{To: berth.Grantee{Kind: berth.GranteeUser, ID: string(me)}, Role: who.grant}}
				}
				var cell []byte
				for _, a := range kind.Actions() {
					letter := byte('-')
					if authz.Can(who.actor, a, on) {
						letter, any = letters[a], true
					}
					cell = append(cell, letter)
				}
				cells += fmt.Sprintf(" %-10s", cell)
			}
			switch token := strings.Contains(who.name, "token"); {
			case who.name == "member":
				plain = cells
			case token && !any, token && who.grant != "" && cells == plainToken, !token && cells == plain:
				continue
			case token && who.grant == "":
				plainToken = cells
			}
			out.WriteString(strings.TrimRight(fmt.Sprintf("    %-38s%s", who.name, cells), " ") + "\n")
		}
	}
	return trailing.ReplaceAllString(out.String(), "")
}

var trailing = regexp.MustCompile(`(?m) +$`)

// TestPolicyGrid prints who may do what. A change here is a change of policy:
// read the diff, then run with -update.
func TestPolicyGrid(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/policy.golden", grid())
}

// golden compares a file with what it should be.
func golden(t *testing.T, path, now string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), now); diff != "" {
		t.Errorf("the policy changed (- golden, + now); if that is meant, run: go test ./internal/authz -update\n%s", diff)
	}
}
