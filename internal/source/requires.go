package source

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Requirement is one line of a required_providers block.
type Requirement struct {
	Local   string // the module's own name of the plugin
	Source  string // as written; empty: not said
	Version string // constraint as written; empty: none
	Place   hcl.Range
}

// Requires lists the plugins that a module says it needs, by their local names.
func (m Module) Requires() []Requirement {
	var list []Requirement
	for _, b := range m.Of("terraform", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "required_providers"}}})
		for _, inner := range content.Blocks {
			lines, _ := inner.Body.JustAttributes()
			for _, a := range lines {
				list = append(list, requirement(a))
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Requirement) int { return strings.Compare(a.Local, b.Local) })
	return list
}

func requirement(a *hcl.Attribute) Requirement {
	r := Requirement{Local: a.Name, Place: a.Range}
	pairs, found := hcl.ExprMap(a.Expr)
	if found.HasErrors() {
		r.Version = Text(a.Expr) // the old form: the version alone
		return r
	}
	for _, pair := range pairs {
		switch Text(pair.Key) {
		case "source":
			r.Source = Text(pair.Value)
		case "version":
			r.Version = Text(pair.Value)
		}
	}
	return r
}

// PluginSource is the whole address, HOST/NAMESPACE/TYPE, of the plugin that the
// module calls local. host is where terraform or tofu looks when none is named.
func (m Module) PluginSource(local, host string) string {
	written := "hashicorp/" + local
	for _, r := range m.Requires() {
		if r.Local == local && r.Source != "" {
			written = r.Source
		}
	}
	if strings.Count(written, "/") < 2 {
		written = host + "/" + strings.TrimPrefix(written, "/")
	}
	return strings.ToLower(written)
}
