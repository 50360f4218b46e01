package terraform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Import finds out what a template asks and makes, by planning a start and a
// stop of it with no state. Nothing is changed. Errors that come from the
// template or the end of ctx are *RunError.
func Import(ctx context.Context, o Options, sink Sink) (berth.Contents, error) {
	modules, err := readTemplate(o.Installation.Dir)
	if err != nil {
		return berth.Contents{}, err
	}
	root := modules[0]
	variables, err := variableFile(root, o.Variables)
	if err != nil {
		return berth.Contents{}, err
	}
	env := placeholders(modules)
	maps.Copy(env, somebody)
	maps.Copy(env, o.Env)
	o.Env, o.State = env, nil
	r := &run{Options: o, sink: &orderly{sink: sink}}
	if r.dir, err = prepare(o, variables); err != nil {
		return berth.Contents{}, err
	}
	defer r.dir.close()
	defer r.gather(ctx)()

	start, err := r.rehearse(ctx, berth.Start)
	if err != nil {
		return berth.Contents{}, err
	}
	stop, err := r.rehearse(ctx, berth.Stop)
	if err != nil {
		return berth.Contents{}, err
	}
	c, wrong := contents(start, stop, modules, source.ReadGraph(o.Installation.Dir, modules), o.Variables)
	if c.Findings, err = r.check(ctx, start, c); err != nil {
		return berth.Contents{}, err // names the place, where wrong may not
	}
	if wrong != nil {
		r.sayFindings(c.Findings)
		return berth.Contents{}, wrong
	}
	c.Readme, c.Variables, c.Terraform = source.Readme(o.Installation.Dir), root.Variables(), o.Engine.Version
	c.Plugins, c.Modules, err = resolved(o.Installation.Dir)
	c.Cold = cold(o.Installation.Dir, modules, c.Plugins, o.Engine.Tofu)
	c.Warm = c.Cold == "" && err == nil
	c.Notes = append(c.Notes, o.Installation.Notes...)
	for _, note := range c.Notes {
		r.say("warn", "Note: "+note)
	}
	return c, err
}

// rehearse plans one transition and reads the plan.
func (r *run) rehearse(ctx context.Context, t berth.Transition) (shown, error) {
	env := maps.Clone(r.Env)
	env["CODER_WORKSPACE_TRANSITION"] = transitions[t]
	r.Env = env
	defer r.host(ctx)()
	if _, err := r.terraform(ctx, "plan", "-out="+r.planFile(), "-var-file="+filepath.Join(r.dir.path, "variables.tfvars.json")); err != nil {
		return shown{}, err
	}
	return r.show(ctx, "plan")
}

// contents joins what the two plans say and checks it.
func contents(start, stop shown, modules []source.Module, graph source.Graph, variables map[string]string) (berth.Contents, error) {
	var c berth.Contents
	c.Resources = blocks(start, stop, graph)
	found, wrong := agents(start.objects(graph))
	for _, a := range found {
		c.Agents = append(c.Agents, a.Name)
		if a.Outside {
			c.OutsideAgents = append(c.OutsideAgents, a.Name)
		}
	}
	c.Parameters, c.Presets, c.External, c.Secrets = start.parameters(), start.presets(), start.external(), start.secrets(modules)
	var untold error
	c.Tags, untold = start.tags(modules[0], variables)
	if err := errors.Join(wrong, untold, checkCosts(modules)); err != nil {
		return c, &RunError{Code: berth.FailedTerraform, Err: &berth.Error{Code: berth.Invalid, Message: err.Error()}}
	}
	if cost, unknown, err := start.cost(); err == nil && len(unknown) == 0 {
		c.DailyCost = &cost
	}
	return c, nil
}

// known is a block's object as a plan shows it.
type known struct {
	address, kind, name string
	module              string // address of the instance of its module; "" is the root
	key                 string // its own instance key as written, may be empty
	secret              fields // the same, true where a value is sensitive
	fields
}

func (m shownModule) walk(visit func(mode string, k known)) {
	m.each(func(module string, r shownResource) {
		visit(r.Mode, known{address: r.Address, kind: r.Type, name: r.Name, module: module, key: berth.InstanceKey(r.Index), secret: r.Secret, fields: r.Values})
	})
}

func (m shownModule) each(visit func(module string, r shownResource)) {
	for _, r := range m.Resources {
		visit(m.Address, r)
	}
	for _, child := range m.Children {
		child.each(visit)
	}
}

// managed are the objects that a plan would make.
func (p shown) managed() []known {
	var list []known
	p.Planned.Root.walk(func(mode string, k known) {
		if mode == "managed" {
			list = append(list, k)
		}
	})
	return list
}

// data are the data sources of one type that a plan has read.
func (p shown) data(kind string) []known {
	var list []known
	p.Prior.Values.Root.walk(func(mode string, k known) {
		if mode == "data" && k.kind == kind {
			list = append(list, k)
		}
	})
	return list
}

func (p shown) parameters() []berth.Parameter {
	var list []berth.Parameter
	for _, k := range p.data("coder_parameter") {
		q := berth.Parameter{
			Name: k.text("name"), DisplayName: k.text("display_name"), Description: k.text("description"), Type: cmp.Or(k.text("type"), "string"),
			FormType: k.text("form_type"), Icon: k.text("icon"), Mutable: k.yes("mutable"), Ephemeral: k.yes("ephemeral"),
			Required: !k.yes("optional"), Default: k.text("default"), Order: k.number("order"),
		}
		if s := k.text("styling"); s != "{}" { // what the plugin says where the template says nothing
			q.Styling = s
		}
		for _, o := range k.blocks("option") {
			q.Options = append(q.Options, berth.ParameterOption{Name: o.text("name"), Value: o.text("value"), Description: o.text("description"), Icon: o.text("icon")})
		}
		for _, v := range k.blocks("validation") {
			q.Validation = validation(v)
		}
		list = append(list, q)
	}
	slices.SortStableFunc(list, func(a, b berth.Parameter) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name))
	})
	return list
}

// validation reads a block whose numbers are 0 both when they are and when they
// are not given; the plugin says which in fields of its own.
func validation(v fields) *berth.Validation {
	found := &berth.Validation{Monotonic: v.text("monotonic"), Regex: v.text("regex"), Error: v.text("error")}
	if !v.yes("min_disabled") {
		found.Min = v.optional("min")
	}
	if !v.yes("max_disabled") {
		found.Max = v.optional("max")
	}
	return found
}

func (p shown) presets() []berth.Preset {
	var list []berth.Preset
	for _, k := range p.data("coder_workspace_preset") {
		preset := berth.Preset{Name: k.text("name"), Description: k.text("description"), Icon: k.text("icon"), Default: k.yes("default"), Parameters: k.texts("parameters")}
		for _, b := range k.blocks("prebuilds") {
			preset.Instances, preset.Schedule = b.number("instances"), schedule(b)
			for _, e := range b.blocks("expiration_policy") {
				preset.Expires = e.number("ttl")
			}
		}
		list = append(list, preset)
	}
	slices.SortStableFunc(list, func(a, b berth.Preset) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// schedule is the plan of a pool's size; nil: it has none.
func schedule(prebuilds fields) *berth.PoolSchedule {
	for _, b := range prebuilds.blocks("scheduling") {
		s := berth.PoolSchedule{Zone: b.text("timezone"), Entries: []berth.PoolEntry{}}
		for _, e := range b.blocks("schedule") {
			s.Entries = append(s.Entries, berth.PoolEntry{Cron: e.text("cron"), Instances: e.number("instances")})
		}
		return &s
	}
	return nil
}

// secrets lists the secrets that a template asks for, each once: those of the
// plan are needed, and what else stands in the template may be with other answers.
func (p shown) secrets(modules []source.Module) []berth.SecretNeed {
	var list []berth.SecretNeed
	add := func(need berth.SecretNeed) {
		if need.Place() != "" && !slices.ContainsFunc(list, func(n berth.SecretNeed) bool { return n.Env == need.Env && n.File == need.File }) {
			list = append(list, need)
		}
	}
	for _, k := range p.data("coder_secret") {
		add(berth.SecretNeed{Env: k.text("env"), File: k.text("file"), Help: k.text("help_message")})
	}
	for _, m := range modules {
		for _, b := range m.Of("data", "coder_secret") {
			add(berth.SecretNeed{Env: source.Literal(b.Body, "env"), File: source.Literal(b.Body, "file"), Help: source.Literal(b.Body, "help_message"), Optional: true})
		}
	}
	slices.SortFunc(list, func(a, b berth.SecretNeed) int { return strings.Compare(a.Place(), b.Place()) })
	return list
}

// external lists the external sign-ins that a plan asks for, each once: needed
// where one block needs it.
func (p shown) external() []berth.ExternalNeed {
	optional := map[string]bool{}
	for _, k := range p.data("coder_external_auth") {
		id := k.text("id")
		before, seen := optional[id]
		optional[id] = k.yes("optional") && (before || !seen)
	}
	var list []berth.ExternalNeed
	for _, id := range slices.Sorted(maps.Keys(optional)) {
		list = append(list, berth.ExternalNeed{ID: id, Optional: optional[id]})
	}
	return list
}

// resolved reads from an installation which plugins and modules it has.
func resolved(dir string) ([]berth.Plugin, []berth.Module, error) {
	text, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the installation: %w", err)
	}
	plugins, err := parseLock(text)
	if err != nil {
		return nil, nil, err
	}
	var modules []berth.Module
	for _, m := range source.Manifest(dir) {
		if m.Key != "" {
			modules = append(modules, berth.Module{Key: m.Key, Source: m.Source, Version: m.Version})
		}
	}
	return plugins, modules, nil
}
