package terraform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// metadataType is the resource that says what others cost.
const metadataType = "coder_metadata"

// price is what an object's daily_cost says. An error says that it is none: the
// number is bounded then.
func price(v any) (int, error) {
	n, ok := v.(float64)
	switch {
	case !ok: // missing, or null
		return 0, nil
	case n < 0:
		return 0, fmt.Errorf("a daily_cost of %v: it cannot be negative", n)
	case n > berth.MaxDailyCost:
		return berth.MaxDailyCost, fmt.Errorf("a daily_cost of %v: at most %d is possible", n, berth.MaxDailyCost)
	}
	return int(n), nil
}

// streamedCost is what a workspace costs once the plan is applied that the stream
// told: the costs in the state, without what goes, and with what is made. That is
// known where the template has it as plain numbers; else the plan has to be read.
func (r *run) streamedCost(s *stream) (total int, known bool) {
	if r.Transition == berth.Delete {
		return 0, true
	}
	costs := map[string]int{}
	if len(r.State) > 0 {
		f, err := parseState(r.State)
		if err != nil {
			return 0, false
		}
		for _, o := range f.objects() {
			if o.kind == metadataType {
				costs[o.address], _ = price(o.fields["daily_cost"])
			}
		}
	}
	var plain map[string]int
	for _, p := range s.planned {
		if p.Type != metadataType || isData(p.Address) {
			continue
		}
		was, there := costs[p.Address], true
		if p.Previous != "" {
			was, there = costs[p.Previous]
			delete(costs, p.Previous)
		}
		switch p.Action {
		case "noop", "move":
			if !there {
				return 0, false
			}
			costs[p.Address] = was
		case "delete", "remove":
			delete(costs, p.Address)
		default:
			if plain == nil {
				plain = plainCosts(r.Installation.Dir)
			}
			if costs[p.Address], known = plain[blockName(p.Address)]; !known {
				return 0, false
			}
		}
	}
	for _, c := range costs {
		total = berth.AddCosts(total, c)
	}
	return total, true
}

// blockName is the name of an object's block: "c" of module.a[0].type.c["k"].
func blockName(address string) string {
	config := berth.ConfigAddress(address)
	return config[strings.LastIndexByte(config, '.')+1:]
}

// plainCosts are the daily costs that an installation's coder_metadata blocks
// have as plain numbers, by the name of the block. Left out are those that are
// computed or no costs, and those whose name has another cost in another module.
// It is empty where files may change what others say.
func plainCosts(dir string) map[string]int {
	modules, err := readTemplate(dir)
	if err != nil {
		return map[string]int{}
	}
	costs, odd := map[string]int{}, map[string]bool{}
	for _, m := range modules {
		if m.Overrides() {
			return map[string]int{}
		}
		for _, b := range m.Of("resource", metadataType) {
			n, ok := plainCost(b)
			before, seen := costs[b.Labels[1]]
			if !ok || seen && before != n {
				odd[b.Labels[1]] = true
			}
			costs[b.Labels[1]] = n
		}
	}
	for name := range odd {
		delete(costs, name)
	}
	return costs
}

// plainCost is the daily_cost of a block where it is written as a number, or not
// at all.
func plainCost(b *hcl.Block) (n int, ok bool) {
	v, given := constantCost(b)
	if !given {
		return 0, false
	}
	n, err := price(v)
	return n, err == nil
}

// constantCost is the daily_cost of a block if it does not depend on anything;
// nil where there is none.
func constantCost(b *hcl.Block) (v any, ok bool) {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "daily_cost"}}})
	a, given := content.Attributes["daily_cost"]
	if !given {
		return nil, true
	}
	value, found := a.Expr.Value(nil)
	if found.HasErrors() {
		return nil, false
	}
	number, err := convert.Convert(value, cty.Number)
	if err != nil || !number.IsKnown() || number.IsMarked() {
		return nil, false
	}
	if number.IsNull() {
		return nil, true
	}
	f, _ := number.AsBigFloat().Float64()
	return f, true
}

// checkCosts refuses costs that are none, as far as they are written down.
func checkCosts(modules []source.Module) error {
	for _, m := range modules {
		for _, b := range m.Of("resource", metadataType) {
			if v, ok := constantCost(b); ok {
				if _, err := price(v); err != nil {
					return fmt.Errorf("%s%s.%s has %w", source.Place(&b.DefRange), metadataType, b.Labels[1], err)
				}
			}
		}
	}
	return nil
}

// cost is what a workspace costs once the plan is applied, and of which objects
// that is not known before they are made. An error says which cost is none.
func (p shown) cost() (total int, unknown []string, err error) {
	for _, k := range p.managed() {
		if k.kind != metadataType {
			continue
		}
		n, wrong := price(k.fields["daily_cost"])
		if wrong != nil && err == nil {
			err = fmt.Errorf("%s has %w", k.address, wrong)
		}
		total = berth.AddCosts(total, n)
	}
	for _, c := range p.Changes {
		var later struct {
			Cost bool `json:"daily_cost"`
		}
		if c.Type == metadataType && c.Mode != "data" && json.Unmarshal(c.Change.Unknown, &later) == nil && later.Cost {
			unknown = append(unknown, c.Address)
		}
	}
	slices.Sort(unknown)
	return total, unknown, err
}
