package agent

import (
	"slices"
	"strings"
	"unicode"

	"github.com/berthdev/berth"
)

const (
	maxUnits    = 1000
	maxWants    = 100 // dependencies of one unit
	maxUnitName = 200 // bytes
)

// unitState is how far a unit is.
type unitState string

const (
	unitUnknown   unitState = "unknown" // named as a dependency alone
	unitPending   unitState = "pending" // has said what it wants
	unitStarted   unitState = "started"
	unitCompleted unitState = "completed"
)

// units are the steps that the scripts of one start agree on among themselves:
// each says which others it wants done before, and when it is done. A unit that
// nobody has heard of yet is waited for. It is not safe for concurrent use.
type units map[string]*unit

type unit struct {
	state unitState
	wants []string
}

// of is the unit of a name, made when it is new; nil when there are too many.
func (u units) of(name string) *unit {
	if u[name] == nil && len(u) < maxUnits {
		u[name] = &unit{state: unitUnknown}
	}
	return u[name]
}

// want says that name may start only when all of on are completed. Either all
// of it counts, or none with an error.
func (u units) want(name string, on []string) error {
	if err := validUnits(append([]string{name}, on...)...); err != nil {
		return err
	}
	if len(on) == 0 {
		return berth.InvalidField("wants", "say what %s wants to be completed before it", name)
	}
	if self := u[name]; self != nil && (self.state == unitStarted || self.state == unitCompleted) {
		return berth.Errorf(berth.Conflict, "%s is %s already: say what it wants before it starts", name, self.state)
	}
	for _, dep := range on {
		if path := u.path(dep, name); path != nil {
			return berth.Errorf(berth.Conflict, "%s would wait for itself: %s", name, strings.Join(append([]string{name}, path...), " → "))
		}
	}
	fresh := 0
	for _, n := range append([]string{name}, on...) {
		if u[n] == nil {
			fresh++
		}
	}
	self := u[name]
	if len(u)+fresh > maxUnits || len(on) > maxWants || self != nil && len(self.wants)+len(on) > maxWants {
		return berth.Errorf(berth.Limit, "these are too many: at most %d units with %d dependencies each", maxUnits, maxWants)
	}
	self = u.of(name)
	if self.state == unitUnknown {
		self.state = unitPending
	}
	for _, dep := range on {
		u.of(dep)
		if !slices.Contains(self.wants, dep) {
			self.wants = append(self.wants, dep)
		}
	}
	return nil
}

// path is how from leads to to over what units want; nil: it does not.
func (u units) path(from, to string) []string {
	seen := map[string]bool{}
	var walk func(at string) []string
	walk = func(at string) []string {
		if at == to {
			return []string{at}
		}
		if seen[at] || u[at] == nil {
			return nil
		}
		seen[at] = true
		for _, next := range u[at].wants {
			if rest := walk(next); rest != nil {
				return append([]string{at}, rest...)
			}
		}
		return nil
	}
	return walk(from)
}

// start starts a unit when all that it wants is completed; otherwise nothing
// changes and waits names what is not, with how far it is. Starting one that is
// started does nothing: a script that runs again starts again.
func (u units) start(name string) (waits []string, err error) {
	if err := validUnits(name); err != nil {
		return nil, err
	}
	self := u.of(name)
	if self == nil {
		return nil, berth.Errorf(berth.Limit, "these are too many units: at most %d", maxUnits)
	}
	if self.state == unitStarted || self.state == unitCompleted {
		return nil, nil
	}
	for _, dep := range self.wants {
		if d := u[dep]; d.state != unitCompleted {
			waits = append(waits, dep+" ("+string(d.state)+")")
		}
	}
	if len(waits) == 0 {
		self.state = unitStarted
	} else {
		self.state = unitPending
	}
	return waits, nil
}

// complete says that a unit is done, also one that was never started.
func (u units) complete(name string) error {
	if err := validUnits(name); err != nil {
		return err
	}
	self := u.of(name)
	if self == nil {
		return berth.Errorf(berth.Limit, "these are too many units: at most %d", maxUnits)
	}
	self.state = unitCompleted
	return nil
}

func validUnits(names ...string) error {
	for _, n := range names {
		bad := strings.IndexFunc(n, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == unicode.ReplacementChar })
		if n == "" || len(n) > maxUnitName || bad >= 0 {
			return berth.InvalidField("unit", "%q is not the name of a unit: use 1 to %d characters without spaces", n, maxUnitName)
		}
	}
	return nil
}
