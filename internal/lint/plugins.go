package lint

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

func checkBackend(t *template) {
	for _, f := range Elsewhere(t.root.Module) {
		t.list = append(t.list, found{Finding: f})
	}
}

// Elsewhere finds the blocks by which a template keeps its state elsewhere: every
// workspace's state is ours to keep, and two workspaces of one template would
// share theirs.
func Elsewhere(m source.Module) []berth.Finding {
	var list []berth.Finding
	for _, b := range m.Of("terraform", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
			{Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"},
		}})
		for _, inner := range content.Blocks {
			list = append(list, berth.Finding{Severity: berth.FindingError, Code: "state-elsewhere", File: inner.DefRange.Filename, Line: inner.DefRange.Start.Line,
				Message: "the template has a " + inner.Type + " block; remove it: Berth keeps the state of every workspace itself"})
		}
	}
	return list
}

// need is a plugin as one module asks for it.
type need struct {
	source, version string
	at              *hcl.Range
	module          *module
	block           *hcl.Block
}

// ours come with the server, which knows their versions.
var ours = []string{"coder/coder", "berthdev/berth"}

// checkPlugins looks for plugins whose version nobody has chosen.
func checkPlugins(t *template) {
	bound, first := map[string]bool{}, map[string]need{}
	for _, m := range t.all {
		for _, n := range m.needs() {
			if n.version != "" {
				bound[n.source] = true
			}
			if _, ok := first[n.source]; !ok {
				first[n.source] = n
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		n := first[name]
		if bound[name] || slices.Contains(ours, name) {
			continue
		}
		t.add(berth.FindingWarning, "plugin-version", n.module, n.at, n.block, "",
			"the plugin %s has no version, so the next push may take a newer one that does something else; add one to required_providers, such as version = \"~> 4.0\"", name)
	}
}

// needs are the plugins of a module: those that it requires, and those that its
// blocks imply.
func (m *module) needs() []need {
	var list []need
	named := map[string]bool{"terraform": true} // built in
	for _, r := range m.Requires() {
		named[r.Local] = true
		list = append(list, need{source: pluginName(cmp.Or(r.Source, "hashicorp/"+r.Local)), version: r.Version, at: &r.Place, module: m})
	}
	for _, b := range m.Blocks {
		if b.Type != "resource" && b.Type != "data" {
			continue
		}
		name, _, _ := strings.Cut(b.Labels[0], "_")
		if a, ok := attributes(b.Body)["provider"]; ok {
			if path, found := hcl.AbsTraversalForExpr(a.Expr); !found.HasErrors() {
				name = source.Names(path)[0]
			}
		}
		if !named[name] {
			named[name] = true
			list = append(list, need{source: "hashicorp/" + name, at: &b.DefRange, module: m, block: b})
		}
	}
	return list
}

// pluginName is a plugin's source without the host that has it unless another is
// named.
func pluginName(source string) string {
	source = strings.ToLower(source)
	for _, host := range []string{"registry.terraform.io/", "registry.opentofu.org/"} {
		source = strings.TrimPrefix(source, host)
	}
	return source
}
