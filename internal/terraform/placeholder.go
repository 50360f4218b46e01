package terraform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth/internal/source"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// parameterVariable is the environment variable in which the coder plugin looks
// for the answer to the parameter of this name.
func parameterVariable(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "CODER_PARAMETER_" + hex.EncodeToString(sum[:])
}

// placeholders answer the parameters that have no default, so that a template
// can be planned though nobody has answered yet. Only what stands in the
// template as a literal can be taken into account.
func placeholders(modules []source.Module) map[string]string {
	env := map[string]string{}
	for _, m := range modules {
		for _, b := range m.Of("data", "coder_parameter") {
			name := source.Literal(b.Body, "name")
			if name == "" || hasDefault(b.Body) {
				continue
			}
			if value := placeholder(b.Body); value != "" {
				env[parameterVariable(name)] = value
			}
		}
	}
	return env
}

func hasDefault(body hcl.Body) bool {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "default"}}})
	a, ok := content.Attributes["default"]
	if !ok {
		return false
	}
	v, found := a.Expr.Value(nil)
	return found.HasErrors() || !v.IsNull()
}

// placeholder is a plausible answer to a parameter: its first option, or the
// smallest thing of its type that passes its validation.
func placeholder(body hcl.Body) string {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "option"}, {Type: "validation"}}})
	kind, lowest, highest, pattern := source.Literal(body, "type"), "", "", ""
	for _, b := range content.Blocks {
		if b.Type == "option" {
			if value := source.Literal(b.Body, "value"); value != "" && kind == "list(string)" && !strings.HasPrefix(value, "[") {
				return "[]"
			} else if value != "" {
				return value
			}
			continue
		}
		lowest, highest, pattern = source.Literal(b.Body, "min"), source.Literal(b.Body, "max"), source.Literal(b.Body, "regex")
	}
	switch kind {
	case "number":
		return cmp.Or(lowest, highest, "1")
	case "bool":
		return "false"
	case "list(string)":
		return "[]"
	}
	if pattern != "" {
		return example(pattern)
	}
	return "placeholder"
}

// example makes a short text that matches a regular expression; "placeholder"
// when that is too hard.
func example(pattern string) string {
	const easy = "placeholder"
	re, err := regexp.Compile(pattern)
	if err != nil || re.MatchString(easy) {
		return easy
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return easy
	}
	for _, extra := range []int{0, 1, 3} {
		var b strings.Builder
		grow(&b, tree.Simplify(), extra)
		if re.MatchString(b.String()) {
			return b.String()
		}
	}
	return easy
}

// grow writes one way to match re, with extra repetitions of what may repeat.
func grow(b *strings.Builder, re *syntax.Regexp, extra int) {
	const most = 1000
	if b.Len() > most {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			grow(b, sub, extra)
		}
	case syntax.OpAlternate:
		grow(b, re.Sub[0], extra)
	case syntax.OpPlus:
		repeat(b, re.Sub[0], 1+extra, extra)
	case syntax.OpStar, syntax.OpQuest:
		repeat(b, re.Sub[0], min(extra, 1), extra)
	case syntax.OpRepeat:
		repeat(b, re.Sub[0], re.Min, extra)
	}
}

func repeat(b *strings.Builder, re *syntax.Regexp, times, extra int) {
	for range times {
		grow(b, re, extra)
	}
}

// pick prefers letters and digits among the ranges of a class.
func pick(ranges []rune) rune {
	for _, want := range "a0A" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	if len(ranges) == 0 || ranges[0] == math.MaxInt32 {
		return 'a'
	}
	return ranges[0]
}
