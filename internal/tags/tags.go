// Package tags evaluates what a version says of the workspace providers that its
// workspaces may be in. It knows no server and runs nothing.
package tags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/forms"
)

// Given is what tags may depend on.
type Given struct {
	Variables map[string]cty.Value // of the template, as far as they are known
	Answers   map[string]string    // by name of the parameter
}

// Evaluate is the tags that a workspace with these answers asks for. What cannot
// be told from them is berth.Invalid, in a sentence that says what.
func Evaluate(t *berth.Tags, g Given) (map[string]string, error) {
	if t == nil || len(t.Blocks) == 0 {
		return nil, nil
	}
	e := evaluator{tags: t, given: g, calculator: forms.NewCalculator(), locals: map[string]cty.Value{}}
	all := map[string]string{}
	for _, text := range t.Blocks {
		v, err := e.value(text)
		if err != nil {
			return nil, err
		}
		if v, err = convert.Convert(v, cty.Map(cty.String)); err != nil || v.IsNull() || !v.IsWhollyKnown() || v.ContainsMarked() {
			return nil, berth.Errorf(berth.Invalid, "%s: the tags are no map of texts that is known", brief(text))
		}
		for name, value := range v.AsValueMap() {
			if value.IsNull() {
				return nil, berth.Errorf(berth.Invalid, "the tag %s has no value", name)
			}
			all[name] = value.AsString()
		}
	}
	return all, nil
}

// Match tells whether a provider with these tags will do: it has all that are
// asked for. Names and values count as they are written.
func Match(asked, has map[string]string) bool {
	for name, value := range asked {
		if got, ok := has[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// Say writes tags as people give them: a=b c=d.
func Say(tags map[string]string) string {
	list := make([]string, 0, len(tags))
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, name+"="+tags[name])
	}
	return strings.Join(list, " ")
}

// evaluator computes expressions, each local value once.
type evaluator struct {
	tags       *berth.Tags
	given      Given
	calculator *forms.Calculator
	locals     map[string]cty.Value
	depth      int
}

func (e *evaluator) value(text string) (cty.Value, error) {
	const deepest = 100 // local values may not go round in circles
	if e.depth++; e.depth > deepest {
		return cty.NilVal, berth.Errorf(berth.Invalid, "%s: the local values behind it are too deep", brief(text))
	}
	defer func() { e.depth-- }()
	var behind error // of a local value, which says where it is
	v, found, err := e.calculator.Value(text, func(names []hcl.Traversal) (scope map[string]cty.Value, err error) {
		scope, behind = e.scope(names)
		return scope, behind
	})
	if behind != nil {
		return cty.NilVal, behind
	}
	if err != nil {
		return cty.NilVal, berth.Errorf(berth.Invalid, "%s: %s", brief(text), berth.ErrorMessage(err))
	}
	if found.HasErrors() {
		return cty.NilVal, berth.Errorf(berth.Invalid, "%s: %s", brief(text), sentence(found))
	}
	return v, nil
}

func sentence(found hcl.Diagnostics) string {
	for _, d := range found {
		if d.Severity == hcl.DiagError {
			return strings.TrimSuffix(strings.TrimSpace(d.Summary+": "+d.Detail), ".")
		}
	}
	return "it cannot be evaluated"
}

// scope is what an expression may refer to.
func (e *evaluator) scope(names []hcl.Traversal) (map[string]cty.Value, error) {
	locals, parameters := map[string]cty.Value{}, map[string]cty.Value{}
	for block, name := range e.tags.Parameters {
		answer, ok := e.given.Answers[name]
		v := cty.UnknownVal(cty.String)
		if ok {
			v = cty.StringVal(answer)
		}
		parameters[block] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name), "value": v})
	}
	for _, t := range names {
		if t.RootName() != "local" || len(t) < 2 {
			continue
		}
		step, ok := t[1].(hcl.TraverseAttr)
		if !ok {
			continue
		}
		v, done := e.locals[step.Name]
		if !done {
			text, known := e.tags.Locals[step.Name]
			if !known {
				continue // the expression fails, and says which it is
			}
			var err error
			if v, err = e.value(text); err != nil {
				return nil, fmt.Errorf("local.%s, %w", step.Name, err)
			}
			e.locals[step.Name] = v
		}
		locals[step.Name] = v
	}
	return map[string]cty.Value{
		"var": object(e.given.Variables), "local": object(locals),
		"data": cty.ObjectVal(map[string]cty.Value{"coder_parameter": object(parameters)}),
	}, nil
}

func object(m map[string]cty.Value) cty.Value {
	if len(m) == 0 {
		return cty.EmptyObjectVal
	}
	return cty.ObjectVal(m)
}

// brief is an expression as an error names it.
func brief(text string) string {
	const most = 80
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
