package terraform

import (
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
	for _, i := range m.blocks("item") {
		item := berth.ResourceItem{Key: i.text("key"), Value: i.text("value"), Sensitive: i.yes("sensitive"), Null: i.yes("is_null")}
		if item.Sensitive {
			item.Value = ""
		}
		list = append(list, item)
	}
	return list
}
