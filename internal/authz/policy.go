package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// reach says whose resources a rule is about.
type reach int

const (
	anyones reach = iota // every resource of the kind
	own                  // those whose owner the actor is
	shared               // those in an organization that the actor is a member of
	ownHere              // both: the actor's own, in an organization that they are a member of
)

// rule grants a role some actions on some kinds.
type rule struct {
	role    berth.Role
	kinds   []Kind
	reach   reach
	actions []Action
}

// policy is all that anybody may do. Rules only add; nothing takes away.
var policy = []rule{
	// The owner of the site may do everything, sessions in others' workspaces included.
	{berth.RoleOwner, notPersonal, anyones, Actions},

	{berth.RoleTemplateAdmin, []Kind{KindTemplate, KindArchive}, anyones, []Action{Create, Read, Update, Delete, Use}},
	{berth.RoleTemplateAdmin, []Kind{KindOrganization, KindProvider}, anyones, []Action{Read, Use}},
	// Reads all workspaces to help with their builds, and enters none.
	{berth.RoleTemplateAdmin, []Kind{KindWorkspace}, anyones, []Action{Read}},
	{berth.RoleTemplateAdmin, []Kind{KindUser}, anyones, []Action{Read}},

	{berth.RoleUserAdmin, []Kind{KindUser}, anyones, []Action{Create, Read, Update, Delete}},
	{berth.RoleUserAdmin, []Kind{KindOrganization}, anyones, []Action{Read}},

	{berth.RoleAuditor, []Kind{KindAudit, KindServer}, anyones, []Action{Read}},
	{berth.RoleAuditor, []Kind{KindUser, KindOrganization, KindTemplate}, anyones, []Action{Read}},

	{berth.RoleMember, []Kind{KindUser}, own, []Action{Read, Update}},
	{berth.RoleMember, []Kind{KindToken}, own, []Action{Create, Read, Delete}},
	// What a person acts with is theirs alone: nobody reads or changes another's, an owner of the site neither.
	{berth.RoleMember, []Kind{KindSSHKey}, own, []Action{Read, Update}},
	{berth.RoleMember, []Kind{KindSecret}, own, []Action{Create, Read, Update, Delete}},
	{berth.RoleMember, []Kind{KindExternal}, own, []Action{Create, Read, Delete, Use}},
	{berth.RoleMember, []Kind{KindOrganization}, shared, []Action{Read}},
	{berth.RoleMember, []Kind{KindTemplate}, shared, []Action{Read, Use}},
	{berth.RoleMember, []Kind{KindProvider}, anyones, []Action{Read, Use}},
	{berth.RoleMember, []Kind{KindWorkspace}, ownHere, []Action{Create, Start, Update}},
	// What somebody has they can see, enter, stop and delete, also after they left the organization.
	{berth.RoleMember, []Kind{KindWorkspace}, own, []Action{Read, Stop, Delete, Connect}},
	// Background work that keeps the server going is no secret.
	{berth.RoleMember, []Kind{KindServer}, anyones, []Action{Read}},
}

// personal are the kinds of which everybody has their own, and no others'.
var personal = []Kind{KindSSHKey, KindSecret, KindExternal}

var notPersonal = slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool { return slices.Contains(personal, k) })

// scopes is what tokens of a scope may do at most. ScopeAll is not listed: it
// narrows nothing.
var scopes = map[Scope]map[Kind][]Action{
	ScopeWorkspace: {
		KindUser:         {Read},
		KindSSHKey:       {Read},
		KindExternal:     {Read, Use}, // git in the workspace asks for tokens; it does not sign in or out
		KindOrganization: {Read},
		KindProvider:     {Read},
		KindTemplate:     {Read, Use},
		KindWorkspace:    {Create, Read, Update, Start, Stop, Connect},
	},
}
