package forms

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/berthdev/berth/internal/source"
)

// templateFile is templatefile, for small files of the template. What such a file
// computes is paid for like the rest.
func templateFile(b *budget, find func(name string) ([]byte, error), functions map[string]function.Function) function.Function {
	parsed := map[string]hclsyntax.Expression{} // once for an evaluation, however often it is called
	read := func(name string) (hclsyntax.Expression, error) {
		if e, ok := parsed[name]; ok {
			return e, nil
		}
		data, err := find(name)
		if err != nil {
			return nil, err
		}
		if !utf8.Valid(data) || strings.HasPrefix(string(data), "\xef\xbb\xbf") {
			return nil, errors.New("it is no plain text")
		}
		if !b.take(1 + len(data)/8) {
			return nil, errTooMuch
		}
		e, err := source.Template(name, data)
		if err != nil {
			return nil, err
		}
		parsed[name] = guard(e)
		return parsed[name], nil
	}
	render := func(args []cty.Value) (cty.Value, error) {
		name, given := args[0].AsString(), args[1]
		e, err := read(name)
		if err != nil {
			return cty.NilVal, err
		}
		ctx := &hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{}}
		for it := given.ElementIterator(); it.Next(); {
			key, value := it.Element()
			ctx.Variables[key.AsString()] = value
		}
		ctx.Variables[spentKey] = cty.CapsuleVal(budgetType, b)
		v, found := e.Value(ctx)
		if found.HasErrors() {
			return cty.NilVal, found
		}
		return v, nil
	}
	fixed := func(args []cty.Value) bool {
		return args[0].IsKnown() && args[1].IsWhollyKnown()
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{text("path"), {Name: "vars", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !fixed(args) {
				return cty.DynamicPseudoType, nil
			}
			if t := args[1].Type(); args[1].IsNull() || !t.IsObjectType() && !t.IsMapType() {
				return cty.NilType, errors.New("the values of the template are no map")
			}
			v, err := render(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
			if !fixed(args) {
				return cty.UnknownVal(want), nil
			}
			return render(args)
		},
	})
}
