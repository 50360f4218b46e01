package forms

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/berthdev/berth/internal/source"
)

// instances are the scopes of one module call.
type instances struct {
	at     []instance
	scopes []*scope
	why    string // why they cannot be told
}

const (
	maxScopes = 500
	maxCalls  = 20 // modules inside one another
)

// child is the module that a call leads to; nil where its files are not there.
func (s *scope) child(b *block) *module {
	name := b.Labels[0]
	if dir, ok := s.e.t.installed[s.keyOf(name)]; ok {
		return s.e.t.modules[path.Clean(dir)]
	}
	from := b.literal
	if strings.HasPrefix(from, "./") || strings.HasPrefix(from, "../") {
		return s.e.t.modules[path.Join(s.m.Dir, from)]
	}
	return nil
}

func (s *scope) keyOf(name string) string { return strings.TrimPrefix(s.key+"."+name, ".") }

// called are the instances of a module call.
func (s *scope) called(name string) *instances {
	if found, ok := s.made[name]; ok {
		return found
	}
	found := &instances{why: "module." + name}
	s.made[name] = found // also what asks for it while it is made
	b := s.m.calls[name]
	if b == nil || b.body == nil {
		return found
	}
	m := s.child(b)
	if m == nil || strings.Count(s.key, ".") > maxCalls {
		return found
	}
	at, why := s.expand(b)
	if why != "" {
		found.why = why
		return found
	}
	for _, i := range at {
		if s.e.scopes++; s.e.scopes > maxScopes {
			s.e.budget.take(most + 1)
			return found
		}
		found.scopes = append(found.scopes, newScope(s.e, m, s, b, i))
	}
	found.at, found.why = at, ""
	return found
}

func newScope(e *evaluation, m *module, parent *scope, call *block, at instance) *scope {
	s := &scope{e: e, m: m, parent: parent, call: call, at: at, cells: map[string]*cell{}, made: map[string]*instances{}, sets: map[string]set{}}
	if parent != nil {
		s.key = parent.keyOf(call.Labels[0])
	}
	return s
}

// outputOf is which output a reference to a module wants, and whether it names an
// instance before: module.a.out, module.a[0].out.
func outputOf(t hcl.Traversal) (name string, keyed bool) {
	if name = step(t, 2); name != "" {
		return name, false
	}
	if len(t) > 3 {
		return step(t, 3), true
	}
	return "", true
}

// output is what a reference to a module call finds: one output of it where that
// is plain, else all.
func (s *scope) output(name string, t hcl.Traversal) (cty.Value, string) {
	found := s.called(name)
	if found.why != "" {
		return cty.DynamicVal, found.why
	}
	b := s.m.calls[name]
	single := b.body.Attributes["count"] == nil && b.body.Attributes["for_each"] == nil
	want, keyed := outputOf(t)
	if single && want != "" && !keyed {
		return found.scopes[0].result(want)
	}
	var values []cty.Value
	why := ""
	for _, inner := range found.scopes {
		attrs := map[string]cty.Value{}
		for _, out := range sortedNames(inner.m.outputs) {
			if want != "" && keyed && out != want {
				continue
			}
			v, because := inner.result(out)
			if why == "" {
				why = because
			}
			attrs[out] = v
		}
		values = append(values, cty.ObjectVal(attrs))
	}
	return gather(b, found.at, values), why
}

// result is one output of this module.
func (s *scope) result(name string) (cty.Value, string) {
	a, ok := s.m.outputs[name]
	if !ok {
		return cty.DynamicVal, "module." + s.key + "." + name
	}
	return s.lazy("output."+name, func() (cty.Value, string) { return s.eval(a, instance{}) })
}

// variable is what this module is given, or was at the push.
func (s *scope) variable(name string) (cty.Value, string) {
	b, ok := s.m.declared[name]
	if !ok {
		return cty.DynamicVal, "var." + name
	}
	return s.lazy("var."+name, func() (cty.Value, string) {
		d := declared(b)
		v, why, given := s.given(name, d)
		if !given {
			if d.fallback == nil {
				return cty.DynamicVal, "var." + name
			}
			plain := false
			if v, plain = source.Value(d.fallback.Expr); !plain {
				return cty.DynamicVal, "var." + name
			}
		}
		if d.defaults != nil && v.IsKnown() && !v.IsNull() {
			v = d.defaults.Apply(v)
		}
		if c, err := convert.Convert(v, d.kind); err == nil {
			v = c
		} else {
			return cty.DynamicVal, "var." + name
		}
		if d.sensitive {
			v = v.Mark(secret)
		}
		return v, why
	})
}

// given is the argument of the call, or for the root the value of the push.
func (s *scope) given(name string, d declaration) (v cty.Value, why string, ok bool) {
	if s.parent == nil {
		text, ok := s.e.in.Variables[name]
		if !ok {
			return v, "", false
		}
		if d.kind == cty.String || d.kind == cty.DynamicPseudoType {
			return cty.StringVal(text), "", true
		}
		if e, err := source.Expression(text); err == nil {
			if v, ok := source.Value(e); ok {
				return v, "", true
			}
		}
		return cty.DynamicVal, "var." + name, true
	}
	a, ok := s.call.body.Attributes[name]
	if !ok {
		return v, "", false
	}
	v, why = s.parent.eval(a.AsHCLAttribute(), s.at)
	return v, why, !(v.IsKnown() && v.IsNull() && !d.nullable)
}

// declaration is a variable block.
type declaration struct {
	kind      cty.Type
	defaults  *typeexpr.Defaults
	fallback  *hcl.Attribute
	sensitive bool
	nullable  bool
}

func declared(b *block) declaration {
	d := declaration{kind: cty.DynamicPseudoType, nullable: true}
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "sensitive"}, {Name: "nullable"}}})
	d.fallback = content.Attributes["default"]
	if a := content.Attributes["sensitive"]; a != nil {
		d.sensitive = source.Text(a.Expr) == "true"
	}
	if a := content.Attributes["nullable"]; a != nil {
		d.nullable = source.Text(a.Expr) != "false"
	}
	if a := content.Attributes["type"]; a != nil {
		if kind, defaults, found := typeexpr.TypeConstraintWithDefaults(a.Expr); !found.HasErrors() {
			d.kind, d.defaults = kind, defaults
		} else if old := source.Text(a.Expr); old == "string" { // as it was written long ago, in quotes
			d.kind = cty.String
		}
	}
	return d
}
