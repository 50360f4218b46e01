package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// Can tells whether the actor may do the action to the resource.
func Can(actor Actor, action Action, on Resource) bool {
	if actor.Anonymous() || !actor.covered(action, on.Kind) {
		return false
	}
	if actor.system {
		return true
	}
	return slices.ContainsFunc(policy, func(r rule) bool {
		return slices.Contains(r.kinds, on.Kind) && slices.Contains(r.actions, action) && r.holds(actor, on)
	})
}

// holds tells whether a rule is about the actor and the resource.
func (r rule) holds(actor Actor, on Resource) bool {
	if on.Privileged && !r.privileged && on.OwnerID != actor.UserID {
		return false
	}
	switch r.who {
	case site:
		return actor.Has(r.role) && r.reach.holds(actor, on)
	case organization:
		return actor.HasIn(on.OrganizationID, r.role) && r.reach.holds(actor, on)
	case grantee:
		return actor.granted(on, r.grant) && r.reach.holds(actor, on)
	default:
		return false
	}
}

func (r reach) holds(actor Actor, on Resource) bool {
	switch r {
	case anyones:
		return true
	case own:
		return on.OwnerID != "" && on.OwnerID == actor.UserID
	case here:
		return actor.HasIn(on.OrganizationID, berth.RoleMember)
	case ownHere:
		return own.holds(actor, on) && here.holds(actor, on)
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
	case slices.Contains(actor.Scopes, ScopePassword):
		return berth.Errorf(berth.Forbidden, "change your password first: berth passwd")
	case actor.InWorkspace() && on.OwnerID == actor.UserID && Can(actor.unbound(), action, on):
		return berth.Errorf(berth.Forbidden, "a workspace's own login may not %s %s: do that from your own computer", verb(action), noun)
	case !actor.InWorkspace() && Can(actor.unscoped(), Read, on) && Can(actor.unscoped(), action, on):
		return berth.Errorf(berth.Forbidden, "this token may not %s %s: its scope is too small", verb(action), noun)
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

// unbound is the actor with all of their own rights as a member. It is for
// telling people why something is denied, never for allowing it.
func (a Actor) unbound() Actor {
	a.Scopes, a.Roles = []Scope{ScopeAll}, nil
	return a
}

// unscoped is the actor as if they came with a token of every right, for the
// same use.
func (a Actor) unscoped() Actor {
	a.Scopes = []Scope{ScopeAll}
	return a
}

func verb(a Action) string {
	switch a {
	case Update:
		return "change"
	case Connect:
		return "connect to"
	case Assign:
		return "give or take"
	case Govern:
		return "decide over"
	default:
		return string(a)
	}
}
