package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// ties are the attributes by which objects of the coder plugin name another
// object by its id, which nobody knows before it is made.
var ties = map[string]string{
	"coder_metadata": "resource_id", "coder_app": "agent_id", "coder_script": "agent_id", "coder_env": "agent_id",
	"coder_agent_instance": "agent_id", "coder_devcontainer": "agent_id", "coder_external_agent": "agent_id",
}

// objects are what a plan would make, in the form of a state's: so what is read
// from the one is read from the other. Each object's address stands for its id.
func (p shown) objects(graph source.Graph) []object {
	modules := map[string]string{} // by address
	var list []object
	for _, k := range p.managed() {
		o := object{
			address: k.address, config: berth.ConfigAddress(k.address), key: k.key, kind: k.kind, name: k.name,
			needs: graph.Needs(berth.ConfigAddress(k.address)), hides: k.hiddenItems(), fields: fields{},
		}
		maps.Copy(o.fields, k.fields)
		o.fields["id"], modules[k.address] = k.address, k.module
		list = append(list, o)
	}
	for _, o := range list {
		if attribute, ok := ties[o.kind]; ok {
			o.fields[attribute] = tied(o, graph.Names(o.config, attribute), list, modules)
		}
	}
	slices.SortStableFunc(list, func(a, b object) int { return strings.Compare(a.address, b.address) })
	return list
}

// tied picks, of the blocks that an attribute of o names, an object of the first:
// one in the same instance of its module and with its own key, as far as there is.
func tied(o object, configs []string, list []object, modules map[string]string) string {
	best, most := "", -1
	for _, config := range configs {
		for _, other := range list {
			if other.config != config {
				continue
			}
			points := 0
			if modules[other.address] == modules[o.address] {
				points += 2
			}
			if other.key == o.key {
				points++
			}
			if points > most {
				best, most = other.address, points
			}
		}
		if best != "" {
			break
		}
	}
	return best
}

// hiddenItems tells which items of a planned coder_metadata have a value that
// Terraform holds for sensitive.
func (k known) hiddenItems() func(n int) bool {
	all := k.secret.yes("item")
	list, _ := k.secret["item"].([]any)
	return func(n int) bool {
		if all || n < len(list) && list[n] == true {
			return true
		}
		if n >= len(list) {
			return false
		}
		item, _ := list[n].(map[string]any)
		return item["value"] == true
	}
}

// blocks lists the resource blocks of a start and of a stop with what people are
// shown of them. One that is there in both is persistent; what the coder plugin
// has is not made of anything.
func blocks(start, stop shown, graph source.Graph) []berth.TemplateResource {
	found := map[string]berth.TemplateResource{}
	add := func(plan shown, both bool) []object {
		objects := plan.objects(graph)
		for _, o := range objects {
			b, seen := found[o.config]
			if !seen {
				b = berth.TemplateResource{Address: o.config, Type: o.kind}
			}
			b.Persistent = b.Persistent || both && !o.coder()
			found[o.config] = b
		}
		for _, r := range resources(objects) {
			b := found[berth.ConfigAddress(r.Address)]
			if b.Icon == "" && b.Metadata == nil && !b.Hide && b.Cost == 0 {
				b.Icon, b.Hide, b.Cost, b.Metadata = r.Icon, r.Hide, r.Cost, r.Metadata
			}
			found[b.Address] = b
		}
		return objects
	}
	running := add(start, false)
	for _, o := range running {
		if o.kind != "coder_agent" {
			continue
		}
		b, ok := found[berth.ConfigAddress(computer(o, running))]
		if ok && !slices.Contains(b.Agents, o.name) {
			b.Agents = append(b.Agents, o.name)
			found[b.Address] = b
		}
	}
	add(stop, true)
	return slices.SortedFunc(maps.Values(found), func(a, b berth.TemplateResource) int { return strings.Compare(a.Address, b.Address) })
}
