package terraform

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// coderPlugin is served anew for each build wherever it runs, so that it may be
// configured by what differs between builds.
const coderPlugin = "coder/coder"

// hostPlugins start programs of the machine or work on its files, relative to
// the directory and environment of one build.
var hostPlugins = map[string]string{
	"berthdev/berth":     "starts processes on the host",
	"hashicorp/external": "runs programs of the host",
	"hashicorp/local":    "works on files of the host",
	"hashicorp/archive":  "works on files of the host",
	"hashicorp/helm":     "may run programs of the host",
	"ansible/ansible":    "runs programs of the host",
	"scottwinkler/shell": "runs programs of the host",
}

// Cold says why plugins of this installation must end with each build; "" when
// they may serve one build after the other. A plugin keeps one configuration in
// its process, and the last one wins: so each must have a single one in the whole
// template, which is the same for every build.
func Cold(i Installation, tofu bool) (string, error) {
	modules, err := readTemplate(i.Dir)
	if err != nil {
		return "", err
	}
	plugins, _, err := resolved(i.Dir)
	if err != nil {
		return "", err
	}
	return cold(i.Dir, modules, plugins, tofu), nil
}

func cold(dir string, modules []source.Module, plugins []berth.Plugin, tofu bool) string {
	for _, p := range plugins {
		_, name, _ := strings.Cut(p.Source, "/")
		if why := hostPlugins[name]; why != "" {
			return fmt.Sprintf("the plugin %s %s", name, why)
		}
	}
	if key := unread(dir, modules); key != "" {
		return fmt.Sprintf("the module %q cannot be read", key)
	}
	for _, m := range modules {
		if why := coldModule(m, defaultHost(tofu)); why != "" {
			return why
		}
	}
	return ""
}

// defaultHost is where the engine looks for a plugin whose source names no host.
func defaultHost(tofu bool) string {
	if tofu {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

// unread names a module that is installed and of which nothing is known.
func unread(dir string, modules []source.Module) string {
	for _, e := range source.Manifest(dir) {
		at := filepath.Clean(e.Dir)
		if !slices.ContainsFunc(modules, func(m source.Module) bool { return filepath.Clean(m.Dir) == at }) {
			return e.Key
		}
	}
	return ""
}

func coldModule(m source.Module, host string) string {
	if m.Overrides() {
		return "some of its files change blocks of others or are read by one engine alone"
	}
	for _, kind := range []string{"resource", "data"} {
		for _, b := range m.Of(kind, "") {
			if at, ok := provisioner(b); ok {
				return fmt.Sprintf("%sa provisioner runs commands of the host", source.Place(&at))
			}
		}
	}
	seen := map[string]*hcl.Block{}
	for _, b := range m.Of("provider", "") {
		plugin := m.PluginSource(b.Labels[0], host)
		_, name, _ := strings.Cut(plugin, "/")
		place := source.Place(&b.DefRange)
		other := seen[plugin]
		seen[plugin] = b
		switch {
		case m.Dir != ".":
			return fmt.Sprintf("%sa module configures the plugin %s for itself", place, name)
		case has(b.Body, "alias"):
			return fmt.Sprintf("%sthe plugin %s is configured under an alias, so that it may have several configurations", place, name)
		case other != nil:
			return fmt.Sprintf("%sthe plugin %s has another configuration in line %d", place, name, other.DefRange.Start.Line)
		case name == coderPlugin:
			continue
		}
		if why := varies(m, b); why != "" {
			return fmt.Sprintf("%sthe plugin %s %s", place, name, why)
		}
	}
	return ""
}

// provisioner finds the first provisioner in a block.
func provisioner(b *hcl.Block) (hcl.Range, bool) {
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "provisioner", LabelNames: []string{"type"}}}})
	if content == nil || len(content.Blocks) == 0 {
		return hcl.Range{}, false
	}
	return content.Blocks[0].DefRange, true
}

func has(body hcl.Body, name string) bool {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
	return content != nil && content.Attributes[name] != nil
}
