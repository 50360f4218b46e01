package terraform

import (
	"encoding/json"
	"strings"

	"github.com/berthdev/berth"
)

// coder tells whether an object is one of the coder plugin: it describes the
// workspace and is no part of it.
func (o object) coder() bool { return strings.HasPrefix(o.kind, "coder_") }

// resources lists what a state's objects show to people: those that make up the
// workspace, and the others that a coder_metadata speaks of.
func resources(objects []object) []berth.Resource {
	about := map[string]object{} // by the address of what it is about
	for _, m := range objects {
		if m.kind != "coder_metadata" {
			continue
		}
		if target := subject(m, objects); target != "" {
			about[target] = m
		}
	}
	var list []berth.Resource
	for _, o := range objects {
		m, described := about[o.address]
		if o.coder() && !described {
			continue
		}
		r := berth.Resource{Address: o.address, Type: o.kind, Name: o.name}
		if described {
			r.Icon, r.Hide, r.Cost = m.text("icon"), m.yes("hide"), m.number("daily_cost")
			r.Metadata = items(m)
		}
		list = append(list, r)
	}
	return list
}

// subject is the address of the object whose id a coder_metadata names. Ids
// are unique to a plugin only, so an object that it depends on goes first.
func subject(m object, objects []object) string {
	id := m.text("resource_id")
	if id == "" {
		return ""
	}
	found := ""
	for _, o := range objects {
		if o.kind == "coder_metadata" || o.text("id") != id {
			continue
		}
		if m.depends(o) {
			return o.address
		}
		if found == "" {
			found = o.address
		}
	}
	return found
}

func items(m object) []berth.ResourceItem {
	var list []berth.ResourceItem
	for n, i := range m.blocks("item") {
		item := berth.ResourceItem{Key: i.text("key"), Value: i.text("value"), Sensitive: i.yes("sensitive"), Null: i.yes("is_null") || i.null("value")}
		if item.Sensitive = item.Sensitive || m.hides(n); item.Sensitive {
			item.Value = ""
		}
		list = append(list, item)
	}
	return list
}

// hiddenItems tells which items of a coder_metadata got a value that Terraform
// holds for sensitive, though the item does not say so itself, by the paths in
// its state.
func hiddenItems(secret json.RawMessage) func(n int) bool {
	var paths [][]struct {
		Value json.RawMessage `json:"value"`
	}
	_ = json.Unmarshal(secret, &paths) // none is the rule
	all, some := false, map[int]bool{}
	for _, path := range paths {
		if len(path) == 0 || string(path[0].Value) != `"item"` {
			continue
		}
		var index struct {
			Value json.Number `json:"value"`
		}
		if len(path) < 2 || json.Unmarshal(path[1].Value, &index) != nil {
			all = true
			continue
		}
		n, err := index.Value.Int64()
		all = all || err != nil
		some[int(n)] = true
	}
	return func(n int) bool { return all || some[n] }
}
