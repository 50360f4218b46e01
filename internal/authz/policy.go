package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// who says whose rule it is.
type who int

const (
	site         who = iota // those with the role site-wide
	organization            // those with the role in the resource's organization
	grantee                 // those whom the resource is shared with
)

// reach says whose resources a rule is about.
type reach int

const (
	anyones reach = iota // every resource of the kind
	own                  // those whose owner the actor is
	here                 // those in an organization that the actor is a member of
	ownHere              // both: the actor's own, in an organization that they are a member of
)

// rule grants some actions on some kinds.
type rule struct {
	who     who
	role    berth.Role      // of a rule for site or organization
	grant   berth.GrantRole // of a rule for grantees
	kinds   []Kind
	reach   reach
	actions []Action
	// privileged rules hold for privileged resources too: users with roles, who
	// could be used to get more rights than one has.
	privileged bool
}

func kinds(k ...Kind) []Kind       { return k }
func actions(a ...Action) []Action { return a }

// policy is all that anybody may do. Rules only add; nothing takes away. What
// they come to, role by role, is in docs/permissions.md and GET /roles (Sets).
var policy = []rule{
	// The owner of the site may do everything, sessions in others' workspaces included.
	{who: site, role: berth.RoleOwner, kinds: notPersonal, actions: Actions, privileged: true},

	// Makes and changes users without roles, members and groups. Gives no roles, so nobody gets more than a member has.
	{who: site, role: berth.RoleUserAdmin, kinds: kinds(KindUser, KindMember, KindGroup), actions: actions(Create, Read, Update, Delete)},
	{who: site, role: berth.RoleUserAdmin, kinds: kinds(KindUser, KindMember, KindOrganization, KindQuota), actions: actions(Read), privileged: true},

	{who: site, role: berth.RoleTemplateAdmin, kinds: kinds(KindTemplate, KindArchive), actions: actions(Create, Read, Update, Delete, Use, Share)},
	{who: site, role: berth.RoleTemplateAdmin, kinds: kinds(KindProvider), actions: actions(Read, Use)},
	// Reads all workspaces to help with their builds, and enters none; knows whom to share a template with.
	{who: site, role: berth.RoleTemplateAdmin, kinds: kinds(KindWorkspace, KindOrganization, KindUser, KindMember, KindGroup), actions: actions(Read), privileged: true},

	{who: site, role: berth.RoleAuditor, kinds: kinds(KindAudit, KindUser, KindOrganization, KindMember, KindGroup, KindQuota, KindTemplate), actions: actions(Read), privileged: true},

	// The same within one organization. The user admin of one adds people who exist; users are the site's.
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindOrganization), actions: actions(Read, Update)},
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindMember, KindGroup), actions: actions(Create, Read, Update, Delete), privileged: true},
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindRole), actions: actions(Assign)},
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindTemplate, KindArchive), actions: actions(Create, Read, Update, Delete, Use, Share)},
	// Manages workspaces, enters none, and makes none for others: what a template runs acts with what its owner has, and who may add
	// anybody to an organization could so act as anybody.
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindWorkspace), actions: actions(Read, Update, Delete, Start, Stop, Govern)},
	{who: organization, role: berth.RoleOwner, kinds: kinds(KindAudit, KindQuota), actions: actions(Read)},
	{who: organization, role: berth.RoleUserAdmin, kinds: kinds(KindMember, KindGroup), actions: actions(Create, Read, Update, Delete)},
	{who: organization, role: berth.RoleUserAdmin, kinds: kinds(KindQuota), actions: actions(Read)},
	{who: organization, role: berth.RoleTemplateAdmin, kinds: kinds(KindTemplate, KindArchive), actions: actions(Create, Read, Update, Delete, Use, Share)},
	{who: organization, role: berth.RoleTemplateAdmin, kinds: kinds(KindWorkspace), actions: actions(Read)},
	{who: organization, role: berth.RoleAuditor, kinds: kinds(KindAudit, KindQuota, KindTemplate), actions: actions(Read)},
	{who: organization, role: berth.RoleMember, kinds: kinds(KindOrganization, KindMember, KindGroup), actions: actions(Read), privileged: true},
	// Those that the organization is allowed: see store.ProviderFor.
	{who: organization, role: berth.RoleMember, kinds: kinds(KindProvider), actions: actions(Read, Use)},

	// What is shared, while they are members of its organization. Nobody deletes or governs somebody else's workspace by a share.
	{who: grantee, grant: berth.GrantUse, kinds: kinds(KindTemplate), reach: here, actions: actions(Read, Use)},
	{who: grantee, grant: berth.GrantAdmin, kinds: kinds(KindTemplate), reach: here, actions: actions(Read, Use, Update, Delete, Share)},
	{who: grantee, grant: berth.GrantUse, kinds: kinds(KindWorkspace), reach: here, actions: actions(Read, Start, Stop, Connect)},
	{who: grantee, grant: berth.GrantAdmin, kinds: kinds(KindWorkspace), reach: here, actions: actions(Read, Start, Stop, Connect, Update, Share)},

	// What everybody has.
	{who: site, role: berth.RoleMember, kinds: kinds(KindUser), reach: own, actions: actions(Read, Update), privileged: true},
	{who: site, role: berth.RoleMember, kinds: kinds(KindPassword), reach: own, actions: actions(Update)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindToken), reach: own, actions: actions(Create, Read, Delete)},
	// What a person acts with is theirs alone: nobody reads or changes another's, an owner of the site neither.
	{who: site, role: berth.RoleMember, kinds: kinds(KindSSHKey), reach: own, actions: actions(Read, Update)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindSecret), reach: own, actions: actions(Create, Read, Update, Delete)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindExternal), reach: own, actions: actions(Create, Read, Delete, Use)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindNotice), reach: own, actions: actions(Read, Update)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindQuota), reach: own, actions: actions(Read)},
	{who: site, role: berth.RoleMember, kinds: kinds(KindWorkspace), reach: ownHere, actions: actions(Create, Start, Update, Share)},
	// What somebody has they can see, enter, stop and delete, also after they left the organization.
	{who: site, role: berth.RoleMember, kinds: kinds(KindWorkspace), reach: own, actions: actions(Read, Stop, Delete, Connect, Govern)},
	// What roles mean, where workspaces run, and the background work that keeps the server going are no secrets.
	{who: site, role: berth.RoleMember, kinds: kinds(KindRole, KindServer), actions: actions(Read)},
}

// personal are the kinds of which everybody has their own, and no others'.
var personal = []Kind{KindSSHKey, KindSecret, KindExternal, KindPassword, KindNotice}

var notPersonal = slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool { return slices.Contains(personal, k) })
