package authz

import "github.com/berthdev/berth"

// List is what of a kind the actor may read, for a list of it: an error for
// those who may read nothing of the kind whatever there is, by the rule of
// Check.
func List(actor Actor, kind Kind) (berth.Visible, error) {
	return See(actor, Read, kind), Barred(actor, Read, kind)
}

// See is what the actor may do an action to. Of Read it says the same as Can
// does of each thing alone. Of other actions it never says more, and leaves out
// what a row does not tell: things of their own that count only in their
// organizations, and rights that hold for users without roles alone.
func See(actor Actor, action Action, kind Kind) berth.Visible {
	any := Resource{Kind: kind, Privileged: kind.privileged()} // what holds for these holds for all
	if Can(actor, action, any) {
		return berth.Visible{All: true}
	}
	if Barred(actor, action, kind) != nil {
		return berth.Visible{}
	}
	var s berth.Visible
	mine := any
	mine.OwnerID = actor.UserID
	if Can(actor, action, mine) {
		s.Own = actor.UserID
	}
	for _, m := range actor.Memberships {
		there := any
		there.OrganizationID = m.OrganizationID
		if Can(actor, action, there) {
			s.Organizations = append(s.Organizations, m.OrganizationID)
		}
	}
	for _, role := range berth.GrantRoles {
		if actor.byGrant(action, kind, role) {
			s.Roles = append(s.Roles, role)
		}
	}
	if len(s.Roles) > 0 {
		s.Grantees, s.In = actor.Grantees(), actor.Organizations()
	}
	return s
}

// byGrant tells whether a grant of a role, and nothing else, lets the actor do
// an action to things of a kind in their organizations.
func (a Actor) byGrant(action Action, kind Kind, role berth.GrantRole) bool {
	if len(a.Memberships) == 0 {
		return false
	}
	o := a.Memberships[0].OrganizationID
	a.Roles, a.Memberships = nil, []berth.Membership{{OrganizationID: o, UserID: a.UserID}}
	to := berth.Grantee{Kind: berth.GranteeUser, ID: string(a.UserID)}
	return !Can(a, action, In(kind, o)) &&
		Can(a, action, Resource{Kind: kind, OrganizationID: o, Grants: []berth.Grant{{To: to, Role: role}}})
}
