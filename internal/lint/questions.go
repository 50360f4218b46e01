package lint

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/source"
)

// asked is a coder_parameter as far as its block is literal.
type asked struct {
	berth.Parameter
	module *module
	block  *hcl.Block
	whole  bool // nothing of it depends on anything
}

func (t *template) asked() []asked {
	var list []asked
	t.each("data", "coder_parameter", func(m *module, b *hcl.Block) {
		a := asked{module: m, block: b, whole: true}
		read := func(name string) string {
			set, ok := attributes(b.Body)[name]
			if !ok {
				return ""
			}
			v, found := set.Expr.Value(nil)
			a.whole = a.whole && !found.HasErrors()
			return source.Plain(v)
		}
		a.Name, a.Type, a.FormType, a.Default = read("name"), read("type"), read("form_type"), read("default")
		if a.Type == "" {
			a.Type = "string"
		}
		a.Mutable, a.Ephemeral = read("mutable") == "true", read("ephemeral") == "true"
		set, given := attributes(b.Body)["default"]
		if given {
			v, found := set.Expr.Value(nil)
			given = found.HasErrors() || !v.IsNull()
		}
		a.Required = !given
		a.read(b)
		list = append(list, a)
	})
	return list
}

// read takes the options and the validation of a block.
func (a *asked) read(b *hcl.Block) {
	if len(nested(b.Body, "dynamic", "of")) > 0 {
		a.whole = false
	}
	literal := func(body hcl.Body, name string) string {
		set, ok := attributes(body)[name]
		if !ok {
			return ""
		}
		v, found := set.Expr.Value(nil)
		a.whole = a.whole && !found.HasErrors()
		return source.Plain(v)
	}
	for _, o := range nested(b.Body, "option") {
		a.Options = append(a.Options, berth.ParameterOption{Name: literal(o.Body, "name"), Value: literal(o.Body, "value")})
	}
	for _, v := range nested(b.Body, "validation") {
		a.Validation = &berth.Validation{Min: number(literal(v.Body, "min")), Max: number(literal(v.Body, "max")),
			Monotonic: literal(v.Body, "monotonic"), Regex: literal(v.Body, "regex"), Error: literal(v.Body, "error")}
	}
}

// checkParameters looks for questions that cannot be asked, or need not be.
func checkParameters(t *template) {
	read := t.readers()
	for _, a := range t.asked() {
		address := a.module.address(a.block)
		if t.plans == nil && a.whole && t.always(a.module, a.block) { // else the plugin has said so
			if a.Ephemeral && (!a.Mutable || a.Required) {
				t.add(berth.FindingError, "parameter-ephemeral", a.module, nil, a.block, address,
					"the parameter %q is ephemeral, that is for one start only, so it needs mutable = true and a default", a.Name)
			} else if !a.Required {
				if err := parameters.Check(a.Parameter, a.Default, nil); err != nil {
					t.add(berth.FindingError, "parameter-default", a.module, nil, a.block, address, "the default of the parameter %q is refused by its own rules: %s", a.Name, berth.ErrorMessage(err))
				}
			}
		}
		if !read[a.module.Key+"/data.coder_parameter."+a.block.Labels[1]] {
			t.add(berth.FindingNote, "parameter-unused", a.module, nil, a.block, address,
				"nothing reads the answer to %q, so people are asked in vain; use %s.value, or remove the parameter", cmp.Or(a.Name, a.block.Labels[1]), address)
		}
	}
}

// readers are the parameters that something other than a preset refers to, by
// the key of their module and their address in it.
func (t *template) readers() map[string]bool {
	found := map[string]bool{}
	note := func(m *module, self string, e hcl.Expression) {
		for _, traversal := range e.Variables() {
			if names := source.Names(traversal); len(names) >= 3 && names[0] == "data" && names[1] == "coder_parameter" && self != strings.Join(names[:3], ".") {
				found[m.Key+"/"+strings.Join(names[:3], ".")] = true
			}
		}
	}
	for _, m := range t.all {
		for _, b := range m.Blocks {
			self := b.Type + "." + strings.Join(b.Labels, ".")
			if strings.HasPrefix(self, "data.coder_workspace_preset.") {
				continue
			}
			everything(b.Body, func(e hcl.Expression) { note(m, self, e) })
		}
	}
	return found
}

// everything visits all expressions of a body, those for terraform itself too.
func everything(body hcl.Body, visit func(hcl.Expression)) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		all, _ := body.JustAttributes()
		for _, a := range all {
			visit(a.Expr)
		}
		return
	}
	for _, a := range native.Attributes {
		visit(a.Expr)
	}
	for _, b := range native.Blocks {
		everything(b.Body, visit)
	}
}

// checkPresets looks for presets that nobody could use.
func checkPresets(t *template) {
	questions, complete := map[string]berth.Parameter{}, true
	if t.plans != nil {
		for _, p := range t.plans.Parameters {
			questions[p.Name] = p
		}
	} else {
		for _, a := range t.asked() {
			complete = complete && a.Name != ""
			if a.whole {
				questions[a.Name] = a.Parameter
			}
		}
	}
	declared := t.declared()
	for _, p := range t.presets() {
		for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
			q, ok := questions[name]
			if ok {
				if err := parameters.Check(q, p.Parameters[name], nil); err != nil {
					t.add(berth.FindingWarning, "preset-invalid", p.module, nil, p.block, "", "no workspace can be made from the preset %q: its answer to the parameter %q is refused: %s", p.Name, name, berth.ErrorMessage(err))
				}
				continue
			}
			if !declared[name] && complete {
				t.add(berth.FindingWarning, "preset-unknown-parameter", p.module, nil, p.block, "", "the preset %q answers the parameter %q, which the template does not have; remove the answer, or correct its name", p.Name, name)
			}
		}
		if p.Instances > 0 {
			for _, name := range slices.Sorted(maps.Keys(questions)) {
				if _, answered := p.Parameters[name]; questions[name].Required && !answered {
					t.add(berth.FindingWarning, "preset-incomplete", p.module, nil, p.block, "", "the preset %q keeps a pool but does not answer the parameter %q, which has no default, and nobody is there to be asked; answer it in the preset", p.Name, name)
				}
			}
		}
	}
}

// declared are the names of all parameters, also of those that are only asked
// at times.
func (t *template) declared() map[string]bool {
	names := map[string]bool{}
	for _, a := range t.asked() {
		names[a.Name] = true
	}
	return names
}

func number(text string) *int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return &n
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// unwrap gives the expression of an object's key in parentheses.
func unwrap(e hcl.Expression) hcl.Expression {
	key, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return e
	}
	if p, ok := key.Wrapped.(*hclsyntax.ParenthesesExpr); ok {
		return p.Expression
	}
	return e
}
