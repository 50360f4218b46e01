package authz

import "github.com/berthdev/berth"

// Actor is who asks. The zero Actor is nobody and may do nothing.
type Actor struct {
	UserID   berth.UserID
	Username string
	Roles    []berth.Role // site-wide; every user is a member besides
	// Organizations are those that the user is a member of.
	Organizations []berth.OrganizationID
	Scope         Scope
	system        bool
}

// Scope is how much of its user's rights a token carries. The zero Scope
// carries none.
type Scope string

const (
	ScopeAll       Scope = "all"       // logins, API tokens
	ScopeWorkspace Scope = "workspace" // handed to a workspace: no accounts, no templates to change, no state
)

// ScopeOf is the scope of a token's kind.
func ScopeOf(k berth.TokenKind) Scope {
	switch k {
	case berth.TokenLogin, berth.TokenAPI:
		return ScopeAll
	case berth.TokenWorkspace:
		return ScopeWorkspace
	default:
		return ""
	}
}

// User is the actor of a signed-in person or of one of their tokens.
func User(u berth.User, organizations []berth.OrganizationID, scope Scope) Actor {
	return Actor{UserID: u.ID, Username: u.Username, Roles: u.Roles, Organizations: organizations, Scope: scope}
}

// System is the actor of Berth's own loops. It may do everything; as is the
// system user that its writes are recorded under.
func System(as berth.UserID) Actor {
	return Actor{UserID: as, Username: berth.PrebuildsUsername, Scope: ScopeAll, system: true}
}

// IsSystem tells whether a loop acts, not a person.
func (a Actor) IsSystem() bool { return a.system }

// Anonymous tells whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.UserID == "" && !a.system }

// Has tells whether the actor has a site-wide role. A workspace's token never
// carries its user's roles: what runs in an owner's workspace is not the owner.
func (a Actor) Has(role berth.Role) bool {
	if role == berth.RoleMember {
		return a.UserID != ""
	}
	if a.Scope != ScopeAll {
		return false
	}
	for _, r := range a.Roles {
		if r == role {
			return true
		}
	}
	return false
}

func (a Actor) memberOf(id berth.OrganizationID) bool {
	for _, o := range a.Organizations {
		if o == id {
			return true
		}
	}
	return false
}
