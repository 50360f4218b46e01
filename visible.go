package berth

// Visible is which things of a kind somebody may do something to, for a list:
// All of them; or those of Organizations, those that are their Own, and, in the
// organizations In, those that are shared with one of Grantees in one of Roles.
// The zero Visible is nothing.
type Visible struct {
	All           bool
	Organizations []OrganizationID
	Own           UserID
	In            []OrganizationID
	Grantees      []Grantee
	Roles         []GrantRole
}
