package tags

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Variables are the values of a template's variables, as given or by default.
// Those whose value cannot be told are left out.
func Variables(declared []berth.Variable, given map[string]string) map[string]cty.Value {
	known := map[string]cty.Value{}
	for _, v := range declared {
		text, ok := given[v.Name]
		if !ok {
			if v.Required || v.Sensitive { // the default of a sensitive one is not kept
				continue
			}
			text = v.Default
		}
		if value, ok := variable(v.Type, text); ok {
			known[v.Name] = value
		}
	}
	return known
}

// variable reads a value: a text as it was given, or an expression where the type
// is another one.
func variable(kind, text string) (v cty.Value, ok bool) {
	if kind == "" || kind == "string" || kind == "any" {
		return cty.StringVal(text), true
	}
	e, err := source.Expression(text)
	if err != nil {
		return v, false
	}
	if v, ok = source.Value(e); !ok {
		return v, false
	}
	switch kind {
	case "number":
		v, err = convert.Convert(v, cty.Number)
	case "bool":
		v, err = convert.Convert(v, cty.Bool)
	}
	return v, err == nil
}
