package terraform

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// gated are the top-level blocks of a template whose effects all go through
// plugins. Others, such as removed, import and check, do something by
// themselves, or something that is not known yet.
var gated = []string{"terraform", "provider", "variable", "locals", "output", "module", "resource", "data"}

// unheld says why the journal's gate cannot hold back all that this build may
// do; "" if it can. What it does not understand it takes for a reason.
func unheld(dir string, modules []source.Module, plugins []berth.Plugin, state stateFile, tofu bool) string {
	if tofu {
		return "it is OpenTofu that runs it"
	}
	if key := unread(dir, modules); key != "" {
		return fmt.Sprintf("the module %q cannot be read", key)
	}
	ours := func(source string) bool {
		return slices.ContainsFunc(plugins, func(p berth.Plugin) bool { return p.Source == source })
	}
	for _, m := range modules {
		if why := unheldModule(m, ours); why != "" {
			return why
		}
	}
	for _, r := range state.Resources {
		if r.Mode != "managed" {
			continue
		}
		if !ours(pluginOf(r.Provider)) {
			return fmt.Sprintf("%s belongs to %s, which does not stand behind the journal", r.config(), r.Provider)
		}
	}
	return ""
}

var plainProvider = regexp.MustCompile(`^provider\["([^"\\]+)"\]$`)

// pluginOf is the plugin that a state names for a resource; "" where that is
// one of several configurations, or a module's own.
func pluginOf(provider string) string {
	if m := plainProvider.FindStringSubmatch(provider); m != nil {
		return m[1]
	}
	return ""
}

func unheldModule(m source.Module, ours func(string) bool) string {
	if m.Overrides() {
		return "some of its files change blocks of others"
	}
	for name, text := range m.Files {
		for _, kind := range blockTypes(name, text) {
			if !slices.Contains(gated, kind) {
				return fmt.Sprintf("%s has a block %q, which works without a plugin", name, kind)
			}
		}
	}
	configured := map[string]bool{}
	for _, b := range m.Of("provider", "") {
		plugin := m.PluginSource(b.Labels[0], defaultHost(false))
		if m.Dir != "." || has(b.Body, "alias") || has(b.Body, "for_each") || configured[plugin] {
			return source.Place(&b.DefRange) + "a plugin may have several configurations"
		}
		configured[plugin] = true
	}
	for _, kind := range []string{"resource", "data"} {
		for _, b := range m.Of(kind, "") {
			if at, ok := provisioner(b); ok {
				return source.Place(&at) + "a provisioner works without a plugin"
			}
			plugin, known := blockPlugin(m, b)
			if !known || !ours(plugin) {
				return fmt.Sprintf("%s%s is made without a plugin that stands behind the journal", source.Place(&b.DefRange), strings.Join(b.Labels, "."))
			}
		}
	}
	return ""
}

// blockTypes lists the top-level blocks of a file. One that cannot be read has
// a block without name.
func blockTypes(name string, text []byte) (list []string) {
	if strings.HasSuffix(name, ".json") {
		var top map[string]json.RawMessage
		if json.Unmarshal(text, &top) != nil {
			return []string{""}
		}
		for kind := range top {
			if kind != "//" {
				list = append(list, kind)
			}
		}
		return list
	}
	file, found := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	body, ok := file.Body.(*hclsyntax.Body)
	if found.HasErrors() || !ok || len(body.Attributes) > 0 {
		return []string{""}
	}
	for _, b := range body.Blocks {
		list = append(list, b.Type)
	}
	return list
}

// blockPlugin is the plugin that makes a resource.
func blockPlugin(m source.Module, b *hcl.Block) (plugin string, known bool) {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "provider"}}})
	local, _, _ := strings.Cut(b.Labels[0], "_")
	if a, ok := content.Attributes["provider"]; ok {
		if local = hcl.ExprAsKeyword(a.Expr); local == "" {
			if local = source.Text(a.Expr); local == "" || strings.ContainsAny(local, ".${") {
				return "", false // an alias
			}
		}
	}
	return m.PluginSource(local, defaultHost(false)), true
}

// crowded tells whether several objects of one type may be made by one build.
// Then terraform has to make one change at a time, so that the journal knows
// which object each is of. Types of the coder plugin do not count: nothing
// outside of the state stands for them.
func crowded(modules []source.Module) bool {
	blocks := map[string]int{}
	for _, m := range modules {
		for _, b := range m.Of("resource", "") {
			kind := b.Labels[0]
			if strings.HasPrefix(kind, "coder_") {
				continue
			}
			blocks[kind]++
			// A module may be called many times.
			if m.Dir != "." || blocks[kind] > 1 || !single(b) {
				return true
			}
		}
	}
	return false
}

// single tells whether a block makes one object at most.
func single(b *hcl.Block) bool {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}}})
	if content.Attributes["for_each"] != nil {
		return false
	}
	a, counted := content.Attributes["count"]
	if !counted {
		return true
	}
	if text := source.Text(a.Expr); text == "0" || text == "1" {
		return true
	}
	path, found := hcl.AbsTraversalForExpr(a.Expr)
	if found.HasErrors() || len(path) != 4 || path.RootName() != "data" {
		return false
	}
	kind, _ := path[1].(hcl.TraverseAttr)
	field, _ := path[3].(hcl.TraverseAttr)
	return kind.Name == "coder_workspace" && field.Name == "start_count"
}
