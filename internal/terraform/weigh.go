package terraform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
)

// errUnsure is that a plan cannot be judged from what one run tells of it.
var errUnsure = errors.New("the plan has to be read from its file")

// judgeable is the plan as far as the stream and the journal tell it, which has
// to be as much as the plan's file would.
func (s *swift) judgeable(ctx context.Context, planned *stream) (berth.Plan, error) {
	changes, enough := planned.changes()
	plan := berth.Plan{Changes: changes}
	var known bool
	plan.DailyCost, known = s.streamedCost(planned)
	if enough && known {
		return plan, nil
	}
	if !planned.whole() {
		return plan, fmt.Errorf("%w: terraform did not name every change", errUnsure)
	}
	answers, err := s.journal.Planned(ctx, metadataType)
	if err != nil {
		return plan, fmt.Errorf("%w: %w", errUnsure, err)
	}
	state := stateFile{}
	if len(s.State) > 0 {
		if state, err = parseState(s.State); err != nil {
			return plan, errUnsure
		}
	}
	if !enough {
		if err := force(plan.Changes, answers, state); err != nil {
			return plan, err
		}
	}
	if !known {
		if err := priced(&plan, answers, state); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// whole tells whether the stream names every change with a word that is known.
func (s *stream) whole() bool {
	ending := 0
	for _, p := range s.planned {
		words, known := actions[p.Action]
		if !known {
			return false
		}
		if (berth.Change{Actions: words}).Destroys() && !isData(p.Address) {
			ending++
		}
	}
	return s.summary && ending >= s.removes
}

// force puts into changes which attributes have objects replaced, as the plugins
// said it.
func force(changes []berth.Change, answers []journal.Planned, state stateFile) error {
	for _, a := range answers {
		if strings.HasPrefix(a.Type, "coder_") {
			continue
		}
		forces, prior, _, err := forcedBy(a)
		if err != nil {
			return err
		}
		if len(forces) == 0 {
			continue
		}
		address, ok := state.addressOf(a.Type, prior)
		i := slices.IndexFunc(changes, func(c berth.Change) bool { return c.Address == address || c.Previous == address })
		if !ok || i < 0 {
			return fmt.Errorf("%w: a %s is replaced, and it is not known which", errUnsure, a.Type)
		}
		changes[i].Forces = append(changes[i].Forces, forces...)
		slices.Sort(changes[i].Forces)
		changes[i].Forces = slices.Compact(changes[i].Forces)
	}
	return nil
}

// forcedBy says which attributes have an object replaced; none if it is not.
func forcedBy(a journal.Planned) (forces []string, prior, planned cty.Value, err error) {
	shape, err := journal.ReadShape(a.Shape)
	if err != nil {
		return nil, prior, planned, fmt.Errorf("%w: %w", errUnsure, err)
	}
	prior, err1 := shape.Value(a.Prior)
	planned, err2 := shape.Value(a.Planned)
	if err := errors.Join(err1, err2); err != nil {
		return nil, prior, planned, fmt.Errorf("%w: %w", errUnsure, err)
	}
	if prior.IsNull() || planned.IsNull() {
		return nil, prior, planned, nil
	}
	for _, message := range a.Replace {
		path := journal.Path(message)
		before, err1 := path.Apply(prior)
		after, err2 := path.Apply(planned)
		if err := errors.Join(err1, err2); err != nil {
			return nil, prior, planned, fmt.Errorf("%w: a %s is replaced because of something that is not there: %w", errUnsure, a.Type, err)
		}
		if !before.RawEquals(after) {
			forces = append(forces, pathText(path))
		}
	}
	return forces, prior, planned, nil
}

// addressOf finds the object of a type whose id is that of value.
func (f stateFile) addressOf(kind string, value cty.Value) (address string, ok bool) {
	id := idOf(value)
	if id == "" {
		return "", false
	}
	for _, o := range f.objects() {
		if o.kind != kind || o.text("id") != id {
			continue
		}
		if address != "" {
			return "", false // two of them
		}
		address = o.address
	}
	return address, address != ""
}

// idOf is the id of an object; "" if it has none that is known.
func idOf(v cty.Value) string {
	if v.IsNull() || !v.IsKnown() || !v.Type().IsObjectType() || !v.Type().HasAttribute("id") {
		return ""
	}
	id := v.GetAttr("id")
	if id.IsNull() || !id.IsKnown() || id.Type() != cty.String {
		return ""
	}
	return id.AsString()
}

// priced works out what the plan costs from the values that the plugins planned.
func priced(plan *berth.Plan, answers []journal.Planned, state stateFile) error {
	want, unnamed := 0, []string{}
	for _, o := range state.objects() {
		if o.kind == metadataType {
			want++
		}
	}
	for _, c := range plan.Changes {
		if c.Type != metadataType {
			continue
		}
		if slices.Contains(c.Actions, "create") {
			want++
			unnamed = append(unnamed, c.Address)
		}
		if c.Destroys() {
			want--
		}
	}
	var unknown int
	for _, a := range answers {
		if a.Type != metadataType {
			continue
		}
		forces, _, v, err := forcedBy(a)
		if err != nil {
			return err
		}
		if len(forces) > 0 || v.IsNull() {
			continue // what is replaced is planned once more, and what goes costs nothing
		}
		if !v.IsKnown() || !v.Type().HasAttribute("daily_cost") {
			return errUnsure
		}
		want--
		cost := v.GetAttr("daily_cost")
		switch {
		case !cost.IsKnown():
			unknown++
		case cost.IsNull():
		case cost.Type() != cty.Number:
			return errUnsure
		default:
			f, _ := cost.AsBigFloat().Float64()
			n, err := price(f)
			if err != nil {
				return errUnsure
			}
			plan.DailyCost = berth.AddCosts(plan.DailyCost, n)
		}
	}
	if want != 0 || unknown > 0 && unknown != len(unnamed) {
		return fmt.Errorf("%w: of its costs %d are not known, and %d of nothing that it has", errUnsure, unknown, -want)
	}
	if unknown > 0 {
		plan.UnknownCosts = unnamed
		slices.Sort(plan.UnknownCosts)
	}
	return nil
}
