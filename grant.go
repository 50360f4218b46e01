package berth

// Grant shares a workspace or a template with a user or a group.
type Grant struct {
	To   Grantee
	Role GrantRole
}

// Grantee is who something is shared with.
type Grantee struct {
	Kind GranteeKind
	ID   string // of the user or the group
}

type GranteeKind string

const (
	GranteeUser  GranteeKind = "user"
	GranteeGroup GranteeKind = "group"
)

// GrantRole is what a grant allows; internal/authz has the actions. Of a
// template: use it, or manage it. Of a workspace: use it, or also rename, update
// and share it.
type GrantRole string

const (
	GrantUse   GrantRole = "use"
	GrantAdmin GrantRole = "admin"
)

// GrantRoles lists the roles of grants, the smallest first.
var GrantRoles = []GrantRole{GrantUse, GrantAdmin}
