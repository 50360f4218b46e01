package authz

import (
	"slices"

	"github.com/berthdev/berth"
)

// Can tells whether the actor may do the action to the resource.
func Can(actor Actor, action Action, on Resource) bool {
	if actor.Anonymous() || !on.Kind.has(action) || !actor.covered(action, on.Kind) || actor.outside(action, on) != nil {
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
	if on.Privileged && !r.privileged {
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

// Check is Can as an error, by the one rule of what people are told:
// unauthenticated for nobody; forbidden for a token that may not do this to
// anything of the kind; not_found when the actor may not read the thing, so that
// its existence stays unknown; and forbidden when they may read but not do this.
// noun is what the person asked for: "workspace alice/dev".
func Check(actor Actor, action Action, on Resource, noun string) error {
	if Can(actor, action, on) {
		return nil
	}
	if err := Barred(actor, action, on.Kind); err != nil {
		return err
	}
	if !Can(actor, Read, on) {
		return Hidden(noun)
	}
	if err := actor.outside(action, on); err != nil {
		return err
	}
	return berth.Errorf(berth.Forbidden, "you may see %s but not %s it; ask an owner of the site or of the organization for the right", noun, verb(action))
}

// Missing is what Check says of a thing that the actor may not know of, for one
// that is not there: the two must not differ.
func Missing(actor Actor, action Action, kind Kind, noun string) error {
	if err := Barred(actor, action, kind); err != nil {
		return err
	}
	return Hidden(noun)
}

// Hidden is the not_found of Check and Missing, which callers use.
func Hidden(noun string) error {
	return berth.Errorf(berth.NotFound, "%s was not found; check the name, or ask its owner whether you have access", noun)
}

// Barred is why the actor may do an action to nothing of a kind, whatever there
// is of it: nobody is signed in, or the token is too small for it. It must not
// look at a resource, or it would tell which exist.
func Barred(actor Actor, action Action, kind Kind) error {
	switch {
	case actor.Anonymous():
		return berth.Errorf(berth.Unauthenticated, "sign in first: berth login URL")
	case actor.covered(action, kind):
		return nil
	case slices.Contains(actor.Scopes, ScopePassword):
		return berth.Errorf(berth.Forbidden, "change your password first: berth passwd")
	case actor.Shared != "" && kind == KindWorkspace:
		return berth.Errorf(berth.Forbidden, "this workspace is shared, so what runs in it may not make others in its owner's name: do that from your own computer")
	case actor.InWorkspace():
		return berth.Errorf(berth.Forbidden, "a workspace's own login may not %s %s: do that from your own computer", verb(action), kind.plural())
	default:
		return berth.Errorf(berth.Forbidden, "this token may not %s %s: its scope is too small; one with the scope %s:%s or %s may, if you may",
			verb(action), kind.plural(), kind, action, ScopeAll)
	}
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
