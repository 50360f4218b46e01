package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Named is an object and what it calls itself.
type Named struct{ Address, Name string }

// WrongAgentName says what is wrong with an agent's name beside those before it;
// empty: nothing.
func WrongAgentName(name string, before []string) string {
	if !berth.ValidAgentName(name) {
		return fmt.Sprintf("the agent is called %q: an agent's name becomes part of a host name, so use letters, digits and single hyphens", name)
	}
	if i := slices.IndexFunc(before, func(other string) bool { return strings.EqualFold(other, name) }); i >= 0 {
		return fmt.Sprintf("two agents are called %q and %q: give each coder_agent a name of its own (upper and lower case count as one)", before[i], name)
	}
	return ""
}

// named are the objects of one type: as the plans name them or, without plans,
// the blocks that are always there and whose names are literals.
func (t *template) named(kind, label, attr string, planned []Named) []Named {
	if t.plans != nil {
		return planned
	}
	var list []Named
	t.each(kind, label, func(m *module, b *hcl.Block) {
		if !t.always(m, b) {
			return
		}
		name := b.Labels[1]
		if attr != "" {
			name = source.Literal(b.Body, attr)
		}
		if name != "" {
			list = append(list, Named{m.address(b), name})
		}
	})
	return list
}

// always tells whether there is exactly one object of a block.
func (t *template) always(m *module, b *hcl.Block) bool {
	for ; b != nil; m, b = m.parent, m.call {
		all := attributes(b.Body)
		if all["count"] != nil || all["for_each"] != nil {
			return false
		}
	}
	return true
}

// find gives the block of an object's address.
func (t *template) find(address string) (*module, *hcl.Block) {
	address = berth.ConfigAddress(address)
	for _, m := range t.all {
		for _, b := range m.blocks {
			if m.address(b) == address {
				return m, b
			}
		}
	}
	return nil, nil
}

// wrong adds an error about an object.
func (t *template) wrong(code, address, format string, args ...any) {
	m, b := t.find(address)
	t.add(berth.FindingError, code, m, nil, b, address, format, args...)
}

// twice calls say for each object whose name, in lower case, another has.
func twice(list []Named, say func(first, second Named)) {
	seen := map[string]Named{}
	for _, n := range list {
		low := strings.ToLower(n.Name)
		if other, ok := seen[low]; ok {
			say(other, n)
		}
		seen[low] = n
	}
}

func checkAgentNames(t *template) {
	var before []string
	var planned []Named
	if t.plans != nil {
		planned = t.plans.Agents
	}
	for _, n := range t.named("resource", "coder_agent", "", planned) {
		if what := WrongAgentName(n.Name, before); what != "" {
			t.wrong("agent-name", n.Address, "%s", what)
		}
		before = append(before, n.Name)
	}
}

func checkSlugs(t *template) {
	var planned []Named
	if t.plans != nil {
		planned = t.plans.Apps
	}
	twice(t.named("resource", "coder_app", "slug", planned), func(first, second Named) {
		t.wrong("app-slug", second.Address, "two apps have the slug %q: %s and %s; give each coder_app one of its own", second.Name, first.Address, second.Address)
	})
}

func checkParameterNames(t *template) {
	var planned []Named
	if t.plans != nil {
		planned = t.plans.Asked
	}
	seen := map[string]Named{}
	for _, n := range t.named("data", "coder_parameter", "name", planned) {
		if other, ok := seen[n.Name]; ok {
			t.wrong("parameter-name", n.Address, "two parameters are called %q: %s and %s; give each coder_parameter a name of its own", n.Name, other.Address, n.Address)
		}
		seen[n.Name] = n
	}
}

// checkPresetNames looks for presets that cannot be told apart.
func checkPresetNames(t *template) {
	var defaults []string
	seen := map[string]bool{}
	for _, p := range t.presets() {
		if p.Default {
			defaults = append(defaults, p.Name)
		}
		if seen[p.Name] {
			t.add(berth.FindingError, "preset-name", p.module, nil, p.block, "", "two presets are called %q; give each coder_workspace_preset a name of its own", p.Name)
		}
		seen[p.Name] = true
		if len(defaults) == 2 && p.Default {
			t.add(berth.FindingError, "preset-name", p.module, nil, p.block, "", "the presets %s are all the default; only one can be", strings.Join(defaults, ", "))
		}
	}
}

// preset is one that the plans show, or whose block is a literal.
type preset struct {
	berth.Preset
	module *module
	block  *hcl.Block
}

// presets are those of the plans or, without plans, of the blocks that are
// always there, as far as they are literals.
func (t *template) presets() []preset {
	var list []preset
	t.each("data", "coder_workspace_preset", func(m *module, b *hcl.Block) {
		p := preset{module: m, block: b}
		p.Name = source.Literal(b.Body, "name")
		if p.Name == "" || !t.always(m, b) {
			return
		}
		p.Default = source.Literal(b.Body, "default") == "true"
		p.Parameters = m.answers(b)
		for _, pool := range nested(b.Body, "prebuilds") {
			p.Instances = atoi(source.Literal(pool.Body, "instances"))
		}
		list = append(list, p)
	})
	if t.plans == nil {
		return list
	}
	var planned []preset
	for _, p := range t.plans.Presets {
		found := preset{Preset: p}
		for _, l := range list {
			if l.Name == p.Name {
				found.module, found.block = l.module, l.block
			}
		}
		planned = append(planned, found)
	}
	return planned
}

// answers are those of a preset's parameters that can be read.
func (m *module) answers(b *hcl.Block) map[string]string {
	a, ok := attributes(b.Body)["parameters"]
	if !ok {
		return nil
	}
	pairs, found := hcl.ExprMap(a.Expr)
	if found.HasErrors() {
		return nil
	}
	all := map[string]string{}
	for _, pair := range pairs {
		key, ok := m.text(unwrap(pair.Key))
		if !ok {
			continue
		}
		if value, ok := m.text(pair.Value); ok {
			all[key] = value
		}
	}
	return all
}
