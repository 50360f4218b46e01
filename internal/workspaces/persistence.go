package workspaces

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Facts are what the persistence rule knows of a build when it judges its plan.
type Facts struct {
	Transition berth.Transition
	// Persistent lists the addresses in the workspace's state that are
	// persistent. Addresses have instance keys.
	Persistent []string
	// AllowDestroy lists those that a person gave up for this build.
	AllowDestroy []string
	// Before and Now are what the versions of the last build and of this one
	// are known to contain.
	Before, Now []berth.TemplateResource
}

// Judge is the persistence rule: no start or stop ends a persistent object, by
// deleting, replacing or forgetting it, unless a person gave its address up for
// this build. An object whose block neither version is known to contain counts
// as persistent, only that a stop may delete it, which is what stops are for. A
// delete may end everything.
//
// It is pure, and asked before anything changes; refused builds change nothing.
func Judge(f Facts, p berth.Plan) berth.Verdict {
	if f.Transition == berth.Delete {
		return berth.Verdict{Allow: true}
	}
	var refused []berth.Refusal
	for _, c := range p.Changes {
		if c.Destroys() && f.keeps(c) {
			refused = append(refused, berth.Refusal{Address: c.Address, Action: ending(c), Because: c.Forces})
		}
	}
	if len(refused) == 0 {
		return berth.Verdict{Allow: true}
	}
	return berth.Verdict{ErrorCode: berth.FailedPersistence, Refused: refused, Reason: explain(f.Transition, refused)}
}

// keeps tells whether the object of a change that would end it must stay.
func (f Facts) keeps(c berth.Change) bool {
	names := []string{c.Address}
	if c.Previous != "" {
		names = append(names, c.Previous)
	}
	known := false
	for _, address := range names {
		if slices.Contains(f.AllowDestroy, address) {
			return false
		}
		if ours(address) {
			return false
		}
	}
	for _, address := range names {
		if slices.Contains(f.Persistent, address) {
			return true
		}
		config := berth.ConfigAddress(address)
		before, persistent := lookUp(f.Before, config)
		if persistent {
			return true
		}
		now, _ := lookUp(f.Now, config)
		known = known || before || now
	}
	if known {
		return false
	}
	return f.Transition != berth.Stop || ending(c) != "delete"
}

// lookUp tells whether a version is known to contain a block, and whether it is
// persistent there.
func lookUp(resources []berth.TemplateResource, config string) (known, persistent bool) {
	for _, r := range resources {
		if r.Address == config {
			return true, r.Persistent
		}
	}
	return false, false
}

// ending is how a change ends its object.
func ending(c berth.Change) string {
	switch {
	case slices.Contains(c.Actions, "forget"):
		return "forget"
	case slices.Contains(c.Actions, "create"):
		return "replace"
	default:
		return "delete"
	}
}

func explain(t berth.Transition, refused []berth.Refusal) string {
	const shown = 5
	var what, flags []string
	for i, r := range refused {
		if i == shown {
			what = append(what, fmt.Sprintf("and %d more", len(refused)-shown))
			break
		}
		said := r.Action + " " + r.Address
		if len(r.Because) > 0 {
			said += " (because of " + strings.Join(r.Because, ", ") + ")"
		}
		what = append(what, said)
		flags = append(flags, "--allow-destroy '"+r.Address+"'")
	}
	return fmt.Sprintf("this %s would %s, which is persistent, so nothing was changed: go back to answers and a version that keep it, or, if its contents may be lost, repeat with %s",
		t, strings.Join(what, ", "), strings.Join(flags, " "))
}

// nextPersistent is what is persistent once a build has left the addresses in
// the state. After a stop that succeeded that is all that is left; else what was
// persistent and is still there, and what the version says is.
func nextPersistent(old, addresses []string, version []berth.TemplateResource, stopped bool) []string {
	next := []string{}
	for _, a := range addresses {
		if ours(a) || slices.Contains(next, a) {
			continue
		}
		_, persistent := lookUp(version, berth.ConfigAddress(a))
		if stopped || persistent || slices.Contains(old, a) {
			next = append(next, a)
		}
	}
	slices.Sort(next)
	return next
}
