package authz

import "github.com/berthdev/berth"

// MayOpen tells whether the actor may open an app or port of a workspace that
// is shared at a level. Who may connect to the workspace may open all of it;
// with a token that may enter none, what is public and no more.
func MayOpen(actor Actor, level berth.Share, workspace Resource) bool {
	switch {
	case level == berth.SharePublic, Can(actor, Connect, workspace):
		return true
	case Barred(actor, Connect, workspace.Kind) != nil:
		return false
	case level == berth.ShareAuthenticated:
		return true
	case level == berth.ShareOrganization:
		return here.holds(actor, workspace)
	default:
		return false
	}
}
