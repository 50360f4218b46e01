package authz

import "github.com/berthdev/berth"

// See is what the actor may do an action to; it says the same as Can does of
// each thing alone.
func See(actor Actor, action Action, kind Kind) berth.Visible {
	if Can(actor, action, All(kind)) {
		return berth.Visible{All: true}
	}
	if actor.Anonymous() || !actor.covered(action, kind) {
		return berth.Visible{}
	}
	var s berth.Visible
	if Can(actor, action, Resource{Kind: kind, OwnerID: actor.UserID}) {
		s.Own = actor.UserID
	}
	for _, m := range actor.Memberships {
		if Can(actor, action, In(kind, m.OrganizationID)) {
			s.Organizations = append(s.Organizations, m.OrganizationID)
		}
	}
	mine := berth.Grantee{Kind: berth.GranteeUser, ID: string(actor.UserID)}
	for _, role := range berth.GrantRoles {
		for _, m := range actor.Memberships {
			if Can(actor, action, Resource{Kind: kind, OrganizationID: m.OrganizationID, Grants: []berth.Grant{{To: mine, Role: role}}}) {
				s.Roles = append(s.Roles, role)
				break
			}
		}
	}
	if len(s.Roles) > 0 {
		s.Grantees, s.In = actor.Grantees(), actor.Organizations()
	}
	return s
}
