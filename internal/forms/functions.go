package forms

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/berthdev/berth/internal/source"
)

// functions are those of terraform that give the same value each time and read
// nothing outside of the template. One that is missing here leaves undecided
// what calls it. Those that patterns gives are missing too, and templatefile: they
// have a budget.
func functions(files source.Files, dir string) map[string]function.Function {
	all := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc, "max": stdlib.MaxFunc, "min": stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "lower": stdlib.LowerFunc, "upper": stdlib.UpperFunc, "title": stdlib.TitleFunc, "strrev": stdlib.ReverseFunc,
		"split": stdlib.SplitFunc, "substr": stdlib.SubstrFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "trimspace": stdlib.TrimSpaceFunc, "format": bounded(stdlib.FormatFunc, formatted),
		"formatlist": bounded(stdlib.FormatListFunc, formatted), "indent": bounded(stdlib.IndentFunc, indented), "join": bounded(stdlib.JoinFunc, joined),
		"startswith": texts(strings.HasPrefix), "endswith": texts(strings.HasSuffix), "strcontains": texts(strings.Contains),

		"chunklist": stdlib.ChunklistFunc, "coalesce": coalesce, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": bounded(stdlib.DistinctFunc, squared), "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "index": index, "keys": stdlib.KeysFunc, "length": length, "lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc,
		"range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": bounded(stdlib.SetProductFunc, multiplied),
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc, "one": one, "sum": sum, "alltrue": allOf(true), "anytrue": allOf(false),

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"base64decode": base64decode, "base64encode": base64encode, "md5": hashed("md5"), "sha1": hashed("sha1"), "sha256": hashed("sha256"), "urlencode": urlencode,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,
		"basename": pathOf(path.Base), "dirname": pathOf(path.Dir),

		"cidrhost": cidrhost, "cidrnetmask": cidrnetmask, "cidrsubnet": cidrsubnet, "cidrsubnets": cidrsubnets,

		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "sensitive": marked(true), "nonsensitive": marked(false),
		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	}
	all["file"], all["fileexists"] = fileFunctions(finder(files, dir))
	return all
}

// maxResult bounds, in bytes or elements, what one call may give.
const maxResult = 1 << 20

var errTooMuch = errors.New("this gives too much")

// bounded is a function whose result can be much larger than what it is given:
// size foretells it.
func bounded(f function.Function, size func(args []cty.Value) int) function.Function {
	check := func(args []cty.Value) error {
		for _, a := range args {
			if !a.IsWhollyKnown() || a.IsNull() {
				return nil
			}
		}
		if n := size(args); n < 0 || n > maxResult {
			return errTooMuch
		}
		return nil
	}
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := check(args); err != nil {
				return cty.NilVal, err
			}
			return f.Call(args)
		},
	})
}

var wide = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

// formatted: each verb can repeat all of an argument.
func formatted(args []cty.Value) int {
	total, longest := 0, 1
	for _, a := range args {
		total += 8 * weigh(a)
		if a.CanIterateElements() {
			longest = max(longest, a.LengthInt())
		}
	}
	if len(args) == 0 || args[0].Type() != cty.String {
		return total
	}
	pattern := args[0].AsString()
	if wide.MatchString(pattern) {
		return -1
	}
	return (1 + strings.Count(pattern, "%")) * total * longest
}

func indented(args []cty.Value) int {
	by, _ := args[0].AsBigFloat().Float64()
	if by > 1000 {
		return -1
	}
	return int(by) * (1 + strings.Count(args[1].AsString(), "\n"))
}

func joined(args []cty.Value) int {
	n := 0
	for _, a := range args[1:] {
		n += 8*weigh(a) + a.LengthInt()*len(args[0].AsString())
	}
	return n
}

func squared(args []cty.Value) int { return args[0].LengthInt() * args[0].LengthInt() }

func multiplied(args []cty.Value) int {
	n := len(args)
	for _, a := range args {
		if n *= a.LengthInt(); n > maxResult {
			return -1
		}
	}
	return n
}
