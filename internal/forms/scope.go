package forms

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// cell is a value that is found when it is first needed, and why it is not known
// where it is not.
type cell struct {
	value cty.Value
	why   string
	done  bool
}

// scope is one instance of a module.
type scope struct {
	e      *evaluation
	m      *module
	key    string // terraform's name of the call, without the keys of instances
	parent *scope // nil: the root
	call   *block // that made it, in parent
	at     instance

	cells map[string]*cell
	made  map[string]*instances
	sets  map[string]set // of parameters, by the name of their block
}

// instance is one of several that count or for_each make. Both are NilVal where
// there is neither.
type instance struct{ key, value cty.Value }

const maxDepth = 200 // of what depends on one another

// lazy gives the cell of this name, found by find. What depends on itself or on
// too much is not known.
func (s *scope) lazy(name string, find func() (cty.Value, string)) (cty.Value, string) {
	c, ok := s.cells[name]
	switch {
	case ok && c.done:
		return c.value, c.why
	case ok:
		return cty.DynamicVal, name + ", which depends on itself"
	case s.e.depth > maxDepth:
		return cty.DynamicVal, name + ", which depends on too much"
	}
	c = &cell{}
	s.cells[name] = c
	s.e.depth++
	c.value, c.why = find()
	s.e.depth--
	c.done = true
	return c.value, c.why
}

// eval is the value of an expression, and what it waits for where that is not
// known. An error is one of those: the import said that there is none with other
// answers.
func (s *scope) eval(a *hcl.Attribute, at instance) (cty.Value, string) {
	if a == nil {
		return cty.DynamicVal, "JSON"
	}
	ctx, why := s.context(a.Expr.Variables(), at, nil)
	return s.value(a.Expr, ctx, why)
}

func (s *scope) value(e hcl.Expression, ctx *hcl.EvalContext, why string) (cty.Value, string) {
	v, found := e.Value(ctx)
	if found.HasErrors() {
		return cty.DynamicVal, "an expression in " + placeOf(e.Range())
	}
	if v.IsWhollyKnown() {
		return v, ""
	}
	if why == "" {
		why = "an expression in " + placeOf(e.Range())
	}
	return v, why
}

func placeOf(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// context holds what names refer to, and the first reason why one of it is not
// known. Names that bound has are left to others.
func (s *scope) context(names []hcl.Traversal, at instance, bound map[string]bool) (*hcl.EvalContext, string) {
	found, why := map[string]any{}, ""
	s.e.budget.take(1 + len(names))
	for _, t := range names {
		root := t.RootName()
		if bound[root] || root == "self" {
			continue
		}
		path, v, because := s.refer(t, root, at)
		why = sooner(why, because)
		put(found, path, v)
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{spentKey: cty.CapsuleVal(budgetType, s.e.budget)}, Functions: s.e.functions(s.m)}
	for root, v := range found {
		ctx.Variables[root] = object(v)
	}
	return ctx, why
}

// sooner is the reason that is said of two: an answer that is still to come, then
// one that is not merely a part of what is known otherwise.
func sooner(why, because string) string {
	partly := func(s string) bool { return strings.HasPrefix(s, "data.coder_workspace") }
	if why == "" || because != "" && (waits(because) && !waits(why) || partly(why) && !partly(because)) {
		return because
	}
	return why
}

// refer is the value that a name leads to, at which path below its root.
func (s *scope) refer(t hcl.Traversal, root string, at instance) (path []string, v cty.Value, why string) {
	first, second := step(t, 1), step(t, 2)
	switch root {
	case "var":
		v, why = s.variable(first)
		return []string{root, first}, v, why
	case "local":
		v, why = s.local(first)
		return []string{root, first}, v, why
	case "data":
		if second == "" {
			return []string{root}, cty.DynamicVal, strings.TrimSuffix("data."+first, ".")
		}
		v, why = s.data(first, second)
		return []string{root, first, second}, v, why
	case "module":
		v, why = s.output(first, t)
		if name, keyed := outputOf(t); name != "" && !keyed {
			return []string{root, first, name}, v, why
		}
		return []string{root, first}, v, why
	case "each":
		if at.key != cty.NilVal && at.value != cty.NilVal {
			return []string{root}, cty.ObjectVal(map[string]cty.Value{"key": at.key, "value": at.value}), ""
		}
	case "count":
		if at.key != cty.NilVal {
			return []string{root}, cty.ObjectVal(map[string]cty.Value{"index": at.key}), ""
		}
	case "path":
		return []string{root}, cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(s.m.Dir), "root": cty.StringVal("."), "cwd": cty.StringVal(".")}), ""
	case "terraform":
		return []string{root}, cty.ObjectVal(map[string]cty.Value{"workspace": cty.StringVal("default")}), ""
	}
	return []string{root}, cty.DynamicVal, strings.TrimSuffix(root+"."+first, ".")
}

// step is the name of a traversal's step; "" if it has none.
func step(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// put sets a value below path. What is known as a whole stays so.
func put(all map[string]any, path []string, v cty.Value) {
	for i, name := range path {
		if i == len(path)-1 {
			all[name] = v
			return
		}
		inner, ok := all[name].(map[string]any)
		if !ok {
			if _, whole := all[name]; whole {
				return
			}
			inner = map[string]any{}
			all[name] = inner
		}
		all = inner
	}
}

func object(v any) cty.Value {
	if v, ok := v.(cty.Value); ok {
		return v
	}
	attrs := map[string]cty.Value{}
	for name, inner := range v.(map[string]any) {
		attrs[name] = object(inner)
	}
	return cty.ObjectVal(attrs)
}

func (s *scope) local(name string) (cty.Value, string) {
	a, ok := s.m.locals[name]
	if !ok {
		return cty.DynamicVal, "local." + name
	}
	return s.lazy("local."+name, func() (cty.Value, string) {
		v, why := s.eval(a, instance{})
		if why == "JSON" {
			why = "local." + name + ", which is written in JSON"
		}
		return v, why
	})
}

// expand finds the instances of a block by its count or for_each; why is set when
// they cannot be told.
func (s *scope) expand(b *block) ([]instance, string) {
	count, each := b.body.Attributes["count"], b.body.Attributes["for_each"]
	switch {
	case count != nil:
		v, why := s.eval(count.AsHCLAttribute(), instance{})
		n, ok := wholeNumber(v)
		if !ok {
			return nil, orPlace(why, count.Range())
		}
		list := make([]instance, 0, min(max(n, 0), maxInstances))
		for i := range n {
			if i == maxInstances {
				s.e.budget.take(most + 1)
				break
			}
			list = append(list, instance{key: cty.NumberIntVal(int64(i))})
		}
		return list, ""
	case each != nil:
		v, why := s.eval(each.AsHCLAttribute(), instance{})
		v, marks := v.Unmark()
		if !v.IsKnown() || v.IsNull() || len(marks) > 0 || !v.CanIterateElements() {
			return nil, orPlace(why, each.Range())
		}
		var list []instance
		for it := v.ElementIterator(); it.Next(); {
			key, value := it.Element()
			if key.Type() != cty.String || !key.IsKnown() || v.Type().IsSetType() && !value.IsKnown() {
				return nil, orPlace(why, each.Range())
			}
			if len(list) == maxInstances {
				s.e.budget.take(most + 1)
				break
			}
			list = append(list, instance{key, value})
		}
		return list, ""
	}
	return []instance{{}}, ""
}

// maxInstances is of one block: a form of more questions is none.
const maxInstances = 1000

func orPlace(why string, r hcl.Range) string {
	if why == "" {
		return "an expression in " + placeOf(r)
	}
	return why
}

// gather makes one value of a block's instances, as references to it see them.
func gather(b *block, at []instance, values []cty.Value) cty.Value {
	switch {
	case b.body.Attributes["count"] != nil:
		return cty.TupleVal(values)
	case b.body.Attributes["for_each"] != nil:
		attrs := map[string]cty.Value{}
		for i, v := range values {
			attrs[at[i].key.AsString()] = v
		}
		return cty.ObjectVal(attrs)
	case len(values) == 1:
		return values[0]
	}
	return cty.DynamicVal
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
