package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// Action is what somebody wants to do.
type Action string

const (
	Create  Action = "create"
	Read    Action = "read"
	Update  Action = "update"
	Delete  Action = "delete"
	Start   Action = "start"
	Stop    Action = "stop"
	Connect Action = "connect" // open a session: ssh, terminal, ports
	Use     Action = "use"     // make workspaces from a template, on a provider
	Share   Action = "share"   // say who else may use a workspace or a template
	Assign  Action = "assign"  // give and take roles
	// Govern is what shares of a workspace never carry: to decide over its keys,
	// over what may be destroyed, over who manages it.
	Govern Action = "govern"
)

// Actions lists every action in the order in which the grid prints them.
var Actions = []Action{Create, Read, Update, Delete, Start, Stop, Connect, Use, Share, Assign, Govern}

// Kind is a kind of resource.
type Kind string

const (
	KindUser         Kind = "user"
	KindPassword     Kind = "password" // a person's own, to change it
	KindToken        Kind = "token"
	KindSSHKey       Kind = "ssh-key"  // the pair that a person's workspaces act with
	KindSecret       Kind = "secret"   // what a person has in all their workspaces
	KindExternal     Kind = "external" // a person's sign-ins elsewhere; use: get their tokens
	KindNotice       Kind = "notice"   // what a person was told, and how they want that
	KindOrganization Kind = "organization"
	KindMember       Kind = "member" // that a user belongs to an organization
	KindGroup        Kind = "group"
	KindRole         Kind = "role"  // of the site, or of an organization
	KindQuota        Kind = "quota" // what a person may spend in an organization, and does
	KindProvider     Kind = "provider"
	KindTemplate     Kind = "template" // and its versions
	KindArchive      Kind = "archive"
	KindWorkspace    Kind = "workspace" // and its builds and agents
	KindAudit        Kind = "audit"
	KindServer       Kind = "server" // loops, health, settings
)

// kindInfo is what there is to know of a kind.
type kindInfo struct {
	kind    Kind
	plural  string   // as sentences name it
	actions []Action // that mean something; nobody may do another
}

// table lists every kind in the order in which the grid prints them.
var table = []kindInfo{
	{KindUser, "users", actions(Create, Read, Update, Delete)},
	{KindPassword, "your password", actions(Update)},
	{KindToken, "tokens", actions(Create, Read, Update, Delete)},
	{KindSSHKey, "your SSH key", actions(Read, Update)},
	{KindSecret, "your secrets", actions(Create, Read, Update, Delete)},
	{KindExternal, "your external sign-ins", actions(Create, Read, Delete, Use)},
	{KindNotice, "your notices", actions(Read, Update)},
	{KindOrganization, "organizations", actions(Create, Read, Update, Delete)},
	{KindMember, "members", actions(Create, Read, Update, Delete)},
	{KindGroup, "groups", actions(Create, Read, Update, Delete)},
	{KindRole, "roles", actions(Read, Assign)},
	{KindQuota, "quotas", actions(Read)},
	{KindProvider, "workspace providers", actions(Create, Read, Update, Delete, Use)},
	{KindTemplate, "templates", actions(Create, Read, Update, Delete, Use, Share)},
	{KindArchive, "archives of templates", actions(Create)},
	{KindWorkspace, "workspaces", actions(Create, Read, Update, Delete, Start, Stop, Connect, Share, Govern)},
	{KindAudit, "the audit log", actions(Read)},
	{KindServer, "the server", actions(Read, Update)},
}

// Kinds lists every kind in the order in which the grid prints them.
var Kinds = func() []Kind {
	all := make([]Kind, len(table))
	for i, k := range table {
		all[i] = k.kind
	}
	return all
}()

// Actions lists what can be done to a thing of the kind; nothing to those of an
// unknown one.
func (k Kind) Actions() []Action {
	for _, i := range table {
		if i.kind == k {
			return i.actions
		}
	}
	return nil
}

// privileged tells whether things of the kind may be Privileged.
func (k Kind) privileged() bool { return k == KindUser || k == KindMember }

func (k Kind) has(a Action) bool { return slices.Contains(k.Actions(), a) }

func (k Kind) plural() string {
	for _, i := range table {
		if i.kind == k {
			return i.plural
		}
	}
	return string(k)
}

// Resource is a thing with the facts that the policy looks at. A list is a
// synthetic resource: a kind with no owner stands for everybody's (All), one
// with an owner for that person's, one with an organization for those in it.
type Resource struct {
	Kind           Kind
	OwnerID        berth.UserID
	OrganizationID berth.OrganizationID
	// Privileged marks a user who has roles, of the site or of an organization,
	// and system users: who changes such a one could get rights that they do not
	// have.
	Privileged bool
	Workspace  berth.WorkspaceID // of a workspace: itself; empty for one that is not made yet
	Grants     []berth.Grant     // who it is shared with
}

// All stands for all things of a kind.
func All(k Kind) Resource { return Resource{Kind: k} }

// OfUser is a user as a resource; users own themselves. OfPerson is for
// what changes another user.
func OfUser(id berth.UserID) Resource { return Resource{Kind: KindUser, OwnerID: id} }

// OfPerson is a user as a resource for who wants to change them.
func OfPerson(w Who) Resource {
	r := OfUser(w.User.ID)
	r.Privileged = len(w.User.Roles) > 0 || w.User.System
	for _, m := range w.Memberships {
		r.Privileged = r.Privileged || len(m.Roles) > 0
	}
	return r
}

// OfPassword is the password of a user.
func OfPassword(owner berth.UserID) Resource { return Resource{Kind: KindPassword, OwnerID: owner} }

// OfToken is a token of a user.
func OfToken(owner berth.UserID) Resource { return Resource{Kind: KindToken, OwnerID: owner} }

// OfSSHKey is a user's key pair.
func OfSSHKey(owner berth.UserID) Resource { return Resource{Kind: KindSSHKey, OwnerID: owner} }

// OfSecret is a secret of a user.
func OfSecret(owner berth.UserID) Resource { return Resource{Kind: KindSecret, OwnerID: owner} }

// OfExternal is an external sign-in of a user.
func OfExternal(owner berth.UserID) Resource { return Resource{Kind: KindExternal, OwnerID: owner} }

// OfNotice is what a user is told.
func OfNotice(owner berth.UserID) Resource { return Resource{Kind: KindNotice, OwnerID: owner} }

// OfOrganization is an organization as a resource.
func OfOrganization(id berth.OrganizationID) Resource {
	return Resource{Kind: KindOrganization, OrganizationID: id}
}

// OfMember is the membership of a user in an organization.
func OfMember(m berth.Membership) Resource {
	return Resource{Kind: KindMember, OwnerID: m.UserID, OrganizationID: m.OrganizationID, Privileged: len(m.Roles) > 0}
}

// In stands for the things of a kind in an organization: its members, groups,
// roles, audit.
func In(k Kind, o berth.OrganizationID) Resource { return Resource{Kind: k, OrganizationID: o} }

// OfQuota is what a user may spend in an organization.
func OfQuota(owner berth.UserID, o berth.OrganizationID) Resource {
	return Resource{Kind: KindQuota, OwnerID: owner, OrganizationID: o}
}

// OfTemplate is a template, or a version of one, in an organization, and who it
// is shared with.
func OfTemplate(id berth.OrganizationID, shared ...berth.Grant) Resource {
	return Resource{Kind: KindTemplate, OrganizationID: id, Grants: shared}
}

// OfWorkspace is a workspace of a user in an organization, and who it is shared
// with.
func OfWorkspace(owner berth.UserID, organization berth.OrganizationID, shared ...berth.Grant) Resource {
	return Resource{Kind: KindWorkspace, OwnerID: owner, OrganizationID: organization, Grants: shared}
}
