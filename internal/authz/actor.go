package authz

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Actor is who asks. The zero Actor is nobody and may do nothing.
type Actor struct {
	UserID      berth.UserID
	Username    string
	Roles       []berth.Role       // site-wide; every user is a member besides
	Memberships []berth.Membership // the organizations that the user belongs to
	Groups      []berth.GroupID    // that the user was put into; Everyone is not among them
	Scopes      []Scope            // of the token that they come with; none: nothing
	// Shared is the workspace whose own login this is, where others may enter that
	// one too: they become its owner inside, so what runs there only looks at the
	// owner's other workspaces.
	Shared berth.WorkspaceID
	// Home is the organization of the workspace whose own login this is. Whoever
	// manages templates there decides what runs in it, so that only looks at the
	// owner's workspaces in other ones.
	Home   berth.OrganizationID
	system bool
}

// Who is a user with all that the policy looks at.
type Who struct {
	User        berth.User
	Memberships []berth.Membership
	Groups      []berth.Group
}

// User is the actor of a signed-in person or of one of their tokens.
func User(w Who, scopes ...Scope) Actor {
	a := Actor{UserID: w.User.ID, Username: w.User.Username, Roles: w.User.Roles, Memberships: w.Memberships, Scopes: scopes}
	for _, g := range w.Groups {
		a.Groups = append(a.Groups, g.ID)
	}
	return a
}

// System is the actor of Berth's own loops. It may do everything; as is the
// system user that its writes are recorded under.
func System(as berth.UserID) Actor {
	return Actor{UserID: as, Username: berth.PrebuildsUsername, Scopes: []Scope{ScopeAll}, system: true}
}

// Me tells whether a reference to a user means the actor, whoever that is. No
// user is called so.
func Me(ref string) bool { return strings.EqualFold(ref, "me") }

// IsSystem tells whether a loop acts, not a person.
func (a Actor) IsSystem() bool { return a.system }

// Anonymous tells whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.UserID == "" && !a.system }

// InWorkspace tells whether what runs in a workspace acts, with the login that
// the workspace was given.
func (a Actor) InWorkspace() bool { return slices.Contains(a.Scopes, ScopeWorkspace) }

// outside is why an action reaches further than a workspace's own login does:
// out of a shared workspace to another, or out of its organization. It is nil for
// what stays inside, and for everybody else.
func (a Actor) outside(action Action, on Resource) error {
	switch {
	case on.Kind != KindWorkspace || action == Read:
		return nil
	case a.Shared != "" && on.Workspace != a.Shared:
		return berth.Errorf(berth.Forbidden, "this workspace is shared, so what runs in it may not %s another one of its owner: do that from your own computer", verb(action))
	case a.Home != "" && on.OrganizationID != a.Home:
		return berth.Errorf(berth.Forbidden, "a workspace's own login may not %s workspaces in another organization: do that from your own computer", verb(action))
	}
	return nil
}

// Has tells whether the actor has a site-wide role. A workspace's login never
// carries its user's roles: what runs in an owner's workspace is not the owner.
func (a Actor) Has(role berth.Role) bool {
	if role == berth.RoleMember {
		return a.UserID != ""
	}
	return !a.InWorkspace() && slices.Contains(a.Roles, role)
}

// HasIn tells whether the actor has a role in an organization, or is a member of
// it, for RoleMember.
func (a Actor) HasIn(o berth.OrganizationID, role berth.Role) bool {
	if o == "" {
		return false
	}
	i := slices.IndexFunc(a.Memberships, func(m berth.Membership) bool { return m.OrganizationID == o })
	if i < 0 {
		return false
	}
	return role == berth.RoleMember || !a.InWorkspace() && slices.Contains(a.Memberships[i].Roles, role)
}

// Organizations lists those that the actor belongs to.
func (a Actor) Organizations() []berth.OrganizationID {
	ids := make([]berth.OrganizationID, len(a.Memberships))
	for i, m := range a.Memberships {
		ids[i] = m.OrganizationID
	}
	return ids
}

// Grantees lists what the actor is in shares: themselves, their groups, and
// Everyone of their organizations.
func (a Actor) Grantees() []berth.Grantee {
	all := []berth.Grantee{{Kind: berth.GranteeUser, ID: string(a.UserID)}}
	for _, m := range a.Memberships {
		all = append(all, berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(m.OrganizationID))})
	}
	for _, g := range a.Groups {
		all = append(all, berth.Grantee{Kind: berth.GranteeGroup, ID: string(g)})
	}
	return all
}

// granted tells whether a resource is shared with the actor in a role. What
// runs in a workspace enters no workspace that is shared with its owner: others
// may be in it, whom nobody invited there.
func (a Actor) granted(on Resource, role berth.GrantRole) bool {
	if a.UserID == "" || len(on.Grants) == 0 || a.InWorkspace() && on.Kind == KindWorkspace {
		return false
	}
	mine := a.Grantees()
	return slices.ContainsFunc(on.Grants, func(g berth.Grant) bool { return g.Role == role && slices.Contains(mine, g.To) })
}

// In is the user as a member of organizations without roles there.
func (w Who) In(organizations ...berth.OrganizationID) Who {
	for _, o := range organizations {
		w.Memberships = append(w.Memberships, berth.Membership{OrganizationID: o, UserID: w.User.ID})
	}
	return w
}
