package authz

import "github.com/berthdev/berth"

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
)

// Actions lists every action in the order in which the grid prints them.
var Actions = []Action{Create, Read, Update, Delete, Start, Stop, Connect, Use}

// Kind is a kind of resource.
type Kind string

const (
	KindUser         Kind = "user"
	KindToken        Kind = "token"
	KindSSHKey       Kind = "ssh-key"  // the pair that a person's workspaces act with
	KindSecret       Kind = "secret"   // what a person has in all their workspaces
	KindExternal     Kind = "external" // a person's sign-ins elsewhere; use: get their tokens
	KindOrganization Kind = "organization"
	KindProvider     Kind = "provider"
	KindTemplate     Kind = "template" // and its versions
	KindArchive      Kind = "archive"
	KindWorkspace    Kind = "workspace" // and its builds and agents
	KindAudit        Kind = "audit"
	KindServer       Kind = "server" // loops, health, settings
)

// Kinds lists every kind in the order in which the grid prints them.
var Kinds = []Kind{KindUser, KindToken, KindSSHKey, KindSecret, KindExternal, KindOrganization, KindProvider, KindTemplate, KindArchive, KindWorkspace, KindAudit, KindServer}

// Resource is a thing with the facts that the policy looks at. A list is a
// synthetic resource: a kind with no owner stands for everybody's (All), one
// with an owner for that person's, one with an organization for those in it.
type Resource struct {
	Kind           Kind
	OwnerID        berth.UserID
	OrganizationID berth.OrganizationID
}

// All stands for all things of a kind.
func All(k Kind) Resource { return Resource{Kind: k} }

// OfUser is a user as a resource; users own themselves.
func OfUser(id berth.UserID) Resource { return Resource{Kind: KindUser, OwnerID: id} }

// OfToken is a token of a user.
func OfToken(owner berth.UserID) Resource { return Resource{Kind: KindToken, OwnerID: owner} }

// OfSSHKey is a user's key pair.
func OfSSHKey(owner berth.UserID) Resource { return Resource{Kind: KindSSHKey, OwnerID: owner} }

// OfSecret is a secret of a user.
func OfSecret(owner berth.UserID) Resource { return Resource{Kind: KindSecret, OwnerID: owner} }

// OfExternal is an external sign-in of a user.
func OfExternal(owner berth.UserID) Resource { return Resource{Kind: KindExternal, OwnerID: owner} }

// OfOrganization is an organization as a resource.
func OfOrganization(id berth.OrganizationID) Resource {
	return Resource{Kind: KindOrganization, OrganizationID: id}
}

// OfTemplate is a template, or a version of one, in an organization.
func OfTemplate(id berth.OrganizationID) Resource {
	return Resource{Kind: KindTemplate, OrganizationID: id}
}

// OfWorkspace is a workspace of a user in an organization.
func OfWorkspace(owner berth.UserID, organization berth.OrganizationID) Resource {
	return Resource{Kind: KindWorkspace, OwnerID: owner, OrganizationID: organization}
}
