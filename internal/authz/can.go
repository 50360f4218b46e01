package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// Can tells whether the actor may do the action to the resource.
func Can(actor Actor, action Action, on Resource) bool {
	if actor.Anonymous() || !actor.Scope.covers(action, on.Kind) {
		return false
	}
	if actor.system {
		return true
	}
	for _, r := range policy {
		if actor.Has(r.role) && slices.Contains(r.kinds, on.Kind) && slices.Contains(r.actions, action) && r.reach.holds(actor, on) {
			return true
		}
	}
	return false
}

func (s Scope) covers(action Action, kind Kind) bool {
	return s == ScopeAll || slices.Contains(scopes[s][kind], action)
}

func (r reach) holds(actor Actor, on Resource) bool {
	switch r {
	case anyones:
		return true
	case own:
		return on.OwnerID != "" && on.OwnerID == actor.UserID
	case shared:
		return on.OrganizationID != "" && actor.memberOf(on.OrganizationID)
	case ownHere:
		return own.holds(actor, on) && shared.holds(actor, on)
	default:
		return false
	}
}

// Check is Can as an error: unauthenticated for nobody, not_found of the named
// thing when the actor may not even read it, so that its existence stays
// unknown, and forbidden when they may read but not do this. noun is what the
// person asked for: "workspace alice/dev".
func Check(actor Actor, action Action, on Resource, noun string) error {
	switch {
	case Can(actor, action, on):
		return nil
	case actor.Anonymous():
		return berth.Errorf(berth.Unauthenticated, "sign in first: berth login URL")
	case actor.Scope == ScopeWorkspace && on.OwnerID == actor.UserID && Can(actor.unbound(), action, on):
		return berth.Errorf(berth.Forbidden, "a workspace's own login may not %s %s: do that from your own computer", verb(action), noun)
	case !Can(actor, Read, on):
		return Hidden(noun)
	default:
		return berth.Errorf(berth.Forbidden, "you may see %s but not %s it; ask an owner of the site for the right", noun, verb(action))
	}
}

// Hidden is the answer for a thing that is not there and for one that the
// actor may not know of: the two must not differ.
func Hidden(noun string) error {
	return berth.Errorf(berth.NotFound, "%s was not found; check the name, or ask its owner whether you have access", noun)
}

// unbound is the actor with all of their own rights. It is for telling people
// why something is denied, never for allowing it.
func (a Actor) unbound() Actor {
	a.Scope, a.Roles = ScopeAll, nil
	return a
}

func verb(a Action) string {
	switch a {
	case Update:
		return "change"
	case Connect:
		return "connect to"
	default:
		return string(a)
	}
}
