package tags

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/berthdev/berth"
)

// functions are those of Terraform that make sense for tags; none of them reads
// a file or depends on the time.
var functions = map[string]function.Function{
	"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,
	"coalesce": stdlib.CoalesceFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
	"element": stdlib.ElementFunc, "format": stdlib.FormatFunc, "join": stdlib.JoinFunc, "jsondecode": stdlib.JSONDecodeFunc,
	"jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc,
	"lower": stdlib.LowerFunc, "max": stdlib.MaxFunc, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc, "regex": stdlib.RegexFunc,
	"replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc, "trim": stdlib.TrimFunc,
	"trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc,
	"upper": stdlib.UpperFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,
	"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
	"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
}

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
	e, found := hclsyntax.ParseExpression([]byte(text), "variable", hcl.InitialPos)
	if found.HasErrors() {
		return v, false
	}
	if v, found = e.Value(nil); found.HasErrors() {
		return v, false
	}
	var err error
	switch kind {
	case "number":
		v, err = convert.Convert(v, cty.Number)
	case "bool":
		v, err = convert.Convert(v, cty.Bool)
	}
	return v, err == nil
}
