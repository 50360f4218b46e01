package templates

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// Compare says what is different in what two versions ask, make and need. It is
// pure.
func Compare(was, is berth.Contents) []berth.VersionChange {
	var all []berth.VersionChange
	all = append(all, compare("parameter", was.Parameters, is.Parameters, func(p berth.Parameter) string { return p.Name }, newParameter, parameterChanges)...)
	all = append(all, compare("preset", was.Presets, is.Presets, func(p berth.Preset) string { return p.Name }, newPreset, presetChanges)...)
	all = append(all, compare("resource", made(was), made(is), func(r berth.TemplateResource) string { return r.Address }, newResource, resourceChanges)...)
	all = append(all, compare("agent", was.Agents, is.Agents, func(name string) string { return name }, nil, nil)...)
	all = append(all, compare("sign-in", was.External, is.External, func(n berth.ExternalNeed) string { return n.ID }, newNeed, needChanges)...)
	all = append(all, compare("variable", was.Variables, is.Variables, func(v berth.Variable) string { return v.Name }, newVariable, variableChanges)...)
	all = append(all, compare("plugin", was.Plugins, is.Plugins, func(p berth.Plugin) string { return p.Source },
		func(p berth.Plugin) string { return "version " + p.Version }, func(a, b berth.Plugin) []string { return became("its version", a.Version, b.Version) })...)
	all = append(all, compare("module", was.Modules, is.Modules, func(m berth.Module) string { return m.Key }, newModule, moduleChanges)...)
	if says := costChange(was.DailyCost, is.DailyCost); says != "" {
		all = append(all, berth.VersionChange{Kind: "cost", Change: berth.Changed, Says: says})
	}
	return all
}

// compare lists what is new, different or gone of one kind of things, by their
// names: what there is first, in its order. Of what is new, added tells more;
// changed tells in which ways one differs.
func compare[T any](kind string, was, is []T, name func(T) string, added func(T) string, changed func(was, is T) []string) []berth.VersionChange {
	before := map[string]T{}
	for _, x := range was {
		before[name(x)] = x
	}
	var all []berth.VersionChange
	kept := map[string]bool{}
	for _, x := range is {
		n := name(x)
		if kept[n] {
			continue
		}
		kept[n] = true
		old, there := before[n]
		if !there {
			says := "is new"
			if added != nil && added(x) != "" {
				says += ": " + added(x)
			}
			all = append(all, berth.VersionChange{Kind: kind, Name: n, Change: berth.Added, Says: says})
			continue
		}
		if changed == nil {
			continue
		}
		if ways := changed(old, x); len(ways) > 0 {
			all = append(all, berth.VersionChange{Kind: kind, Name: n, Change: berth.Changed, Says: strings.Join(ways, "; ")})
		}
	}
	for _, x := range was {
		if n := name(x); !kept[n] {
			kept[n] = true
			all = append(all, berth.VersionChange{Kind: kind, Name: n, Change: berth.Removed, Says: gone(x)})
		}
	}
	return all
}

// gone is what it means that a thing is not there any more.
func gone(x any) string {
	if r, ok := x.(berth.TemplateResource); ok && r.Persistent {
		return "is gone: it is persistent, so an update that does not move it destroys it, which has to be allowed"
	}
	return "is gone"
}

// became tells of a text that is another one; nothing of one that is not.
func became(what, was, is string) []string {
	switch {
	case was == is:
		return nil
	case was == "":
		return []string{fmt.Sprintf("%s is %s", what, quote(is))}
	case is == "":
		return []string{fmt.Sprintf("%s is none instead of %s", what, quote(was))}
	}
	return []string{fmt.Sprintf("%s is %s instead of %s", what, quote(is), quote(was))}
}

// quote is a text on one line that is not too long to read.
func quote(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

func differs(says string, was, is any) []string {
	if reflect.DeepEqual(was, is) {
		return nil
	}
	return []string{says}
}

// turned tells of a switch that was turned on or off.
func turned(was, is bool, on, off string) []string {
	switch {
	case is && !was:
		return []string{on}
	case was && !is:
		return []string{off}
	}
	return nil
}

func newParameter(p berth.Parameter) string {
	if p.Required {
		return "it needs an answer"
	}
	return "its default is " + quote(p.Default)
}

func parameterChanges(a, b berth.Parameter) []string {
	ways := slices.Concat(
		became("its type", kindOf(a), kindOf(b)),
		turned(a.Required, b.Required, "it needs an answer where there was a default", "it has a default now, "+quote(b.Default)))
	if !a.Required && !b.Required {
		ways = append(ways, became("its default", a.Default, b.Default)...)
	}
	options := func(p berth.Parameter) (values []string) {
		for _, o := range p.Options {
			values = append(values, o.Value)
		}
		return values
	}
	ways = slices.Concat(ways, members("option", options(a), options(b)),
		validationChanges(a.Validation, b.Validation),
		turned(a.Mutable, b.Mutable, "it can be changed later now", "it cannot be changed any more once it was answered"),
		turned(a.Ephemeral, b.Ephemeral, "it holds for one start alone now", "it is kept from start to start now"))
	if len(ways) == 0 { // how it looks matters least
		looks := func(p berth.Parameter) []any {
			return []any{p.DisplayName, p.Description, p.FormType, p.Icon, p.Order, p.Options}
		}
		ways = differs("it is shown differently", looks(a), looks(b))
	}
	return ways
}

func kindOf(p berth.Parameter) string { return cmp.Or(p.Type, "string") }

// members tells what came to a list and what left it.
func members(noun string, was, is []string) (ways []string) {
	without := func(all, but []string) (left []string) {
		for _, s := range all {
			if !slices.Contains(but, s) {
				left = append(left, quote(s))
			}
		}
		return left
	}
	if more := without(is, was); len(more) > 0 {
		ways = append(ways, fmt.Sprintf("new %s%s %s", noun, plural(more), enumerated(more)))
	}
	if fewer := without(was, is); len(fewer) > 0 {
		ways = append(ways, fmt.Sprintf("no %s%s %s any more", noun, plural(fewer), enumerated(fewer)))
	}
	return ways
}

func plural(all []string) string {
	if len(all) == 1 {
		return ""
	}
	return "s"
}

// enumerated is a list of which only the first are shown when it is long.
func enumerated(all []string) string {
	const most = 10
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
	}
	return strings.Join(all, ", ")
}

func validationChanges(a, b *berth.Validation) []string {
	var was, is berth.Validation
	if a != nil {
		was = *a
	}
	if b != nil {
		is = *b
	}
	number := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	return slices.Concat(bound("its minimum", number(was.Min), number(is.Min)), bound("its maximum", number(was.Max), number(is.Max)),
		became("what it has to match", was.Regex, is.Regex),
		differs(map[string]string{"": "it may grow and shrink now", "increasing": "it may only grow now", "decreasing": "it may only shrink now"}[is.Monotonic], was.Monotonic, is.Monotonic))
}

// bound is became for a number.
func bound(what, was, is string) []string {
	switch {
	case was == is:
		return nil
	case was == "":
		return []string{what + " is " + is}
	case is == "":
		return []string{fmt.Sprintf("%s is not %s any more", what, was)}
	}
	return []string{fmt.Sprintf("%s is %s instead of %s", what, is, was)}
}

func newPreset(p berth.Preset) string {
	if p.Instances > 0 {
		return fmt.Sprintf("its pool has %d workspaces", p.Instances)
	}
	return ""
}

func presetChanges(a, b berth.Preset) []string {
	var ways []string
	for _, name := range slices.Sorted(maps.Keys(b.Parameters)) {
		if old, there := a.Parameters[name]; !there {
			ways = append(ways, fmt.Sprintf("it answers %s with %s", name, quote(b.Parameters[name])))
		} else if old != b.Parameters[name] {
			ways = append(ways, became("its answer to "+name, old, b.Parameters[name])...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Parameters)) {
		if _, there := b.Parameters[name]; !there {
			ways = append(ways, fmt.Sprintf("it does not answer %s any more", name))
		}
	}
	ways = slices.Concat(ways, bound("the size of its pool", strconv.Itoa(a.Instances), strconv.Itoa(b.Instances)),
		turned(a.Default, b.Default, "it is the default now", "it is not the default any more"))
	if len(ways) == 0 && !reflect.DeepEqual(a, b) {
		ways = []string{"it is shown, or its pool is filled, differently"}
	}
	return ways
}

// made is the resources that are more than answers and names to Berth.
func made(c berth.Contents) (list []berth.TemplateResource) {
	for _, r := range c.Resources {
		if !strings.HasPrefix(r.Type, "coder_") {
			list = append(list, r)
		}
	}
	return list
}

func newResource(r berth.TemplateResource) string {
	if r.Persistent {
		return "persistent"
	}
	return ""
}

func resourceChanges(a, b berth.TemplateResource) []string {
	return turned(a.Persistent, b.Persistent, "it is persistent now", "it is not persistent any more, so the next stop destroys it")
}

func newNeed(n berth.ExternalNeed) string {
	if n.Optional {
		return "optional"
	}
	return "starts need it"
}

func needChanges(a, b berth.ExternalNeed) []string {
	return turned(a.Optional, b.Optional, "it is optional now", "starts need it now")
}

func newVariable(v berth.Variable) string {
	switch {
	case v.Required:
		return "a push has to give it"
	case v.Sensitive:
		return "sensitive"
	}
	return "its default is " + quote(v.Default)
}

func variableChanges(a, b berth.Variable) []string {
	return slices.Concat(became("its type", a.Type, b.Type), became("its default", a.Default, b.Default),
		turned(a.Required, b.Required, "a push has to give it now", "it has a default now"),
		turned(a.Sensitive, b.Sensitive, "it is sensitive now", "it is not sensitive any more"))
}

func newModule(m berth.Module) string { return strings.TrimSpace(m.Source + " " + m.Version) }

func moduleChanges(a, b berth.Module) []string {
	return slices.Concat(became("its source", a.Source, b.Source), became("its version", a.Version, b.Version))
}

func costChange(was, is *int) string {
	switch {
	case was == nil && is == nil || was != nil && is != nil && *was == *is:
		return ""
	case is == nil:
		return "what a start costs is not known any more"
	case was == nil:
		return fmt.Sprintf("a start costs %d a day with the answers that the import tried", *is)
	}
	return fmt.Sprintf("a start costs %d a day instead of %d, with the answers that the import tried", *is, *was)
}
