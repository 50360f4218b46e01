package terraform

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// blockPlaces is where each resource and data block stands: "main.tf:12: " by
// "resource.type.name". Blocks of one name in several modules share a line.
func blockPlaces(modules []source.Module) map[string]string {
	places := map[string]string{}
	for _, m := range modules {
		for _, b := range m.Blocks {
			if len(b.Labels) == 2 {
				key := b.Type + "." + b.Labels[0] + "." + b.Labels[1]
				if _, ok := places[key]; !ok {
					places[key] = source.Place(&b.DefRange)
				}
			}
		}
	}
	return places
}

// checkApps refuses two apps of one slug: it names the app in addresses.
func checkApps(managed []known, places map[string]string) error {
	seen := map[string]string{}
	for _, k := range managed {
		slug := strings.ToLower(k.text("slug"))
		if k.kind != "coder_app" || slug == "" {
			continue
		}
		if other, ok := seen[slug]; ok {
			return fmt.Errorf("%stwo apps have the slug %q: %s and %s; give each coder_app one of its own", places["resource.coder_app."+k.name], k.text("slug"), other, k.address)
		}
		seen[slug] = k.address
	}
	return nil
}

func checkParameters(p shown, places map[string]string) error {
	seen := map[string]string{}
	for _, k := range p.data("coder_parameter") {
		name := k.text("name")
		if other, ok := seen[name]; ok {
			return fmt.Errorf("%stwo parameters are called %q: %s and %s; give each coder_parameter a name of its own", places["data.coder_parameter."+k.name], name, other, k.address)
		}
		seen[name] = k.address
	}
	return nil
}

func checkPresets(presets []berth.Preset) error {
	var defaults []string
	seen := map[string]bool{}
	var err error
	for _, p := range presets {
		if p.Default {
			defaults = append(defaults, p.Name)
		}
		if seen[p.Name] {
			err = fmt.Errorf("two presets are called %q; give each coder_workspace_preset a name of its own", p.Name)
		}
		seen[p.Name] = true
	}
	if len(defaults) > 1 {
		err = errors.Join(err, fmt.Errorf("the presets %s are all the default; only one can be", strings.Join(defaults, ", ")))
	}
	return err
}

// notes are what a template's author should know though nothing is wrong.
func notes(c berth.Contents) []string {
	var list []string
	if len(c.Agents) == 0 {
		list = append(list, "the template has no agent (coder_agent), so nobody can open a session in its workspaces")
	}
	for _, p := range c.Presets {
		for _, name := range sortedKeys(p.Parameters) {
			if !slices.ContainsFunc(c.Parameters, func(q berth.Parameter) bool { return q.Name == name }) {
				list = append(list, fmt.Sprintf("the preset %q answers the parameter %q, which the template does not have", p.Name, name))
			}
		}
	}
	return list
}
