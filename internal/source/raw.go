package source

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func (m Module) bytes(e hcl.Expression) []byte {
	r := e.Range()
	file, ok := m.Files[r.Filename]
	if !ok || r.End.Byte > len(file) || r.Start.Byte > r.End.Byte {
		return nil
	}
	return file[r.Start.Byte:r.End.Byte]
}

// Raw is the text of an expression as it can be parsed again, also where it was
// written in JSON; "" when that cannot be told.
func (m Module) Raw(e hcl.Expression) string {
	text := m.bytes(e)
	if !strings.HasSuffix(e.Range().Filename, ".json") {
		return string(text)
	}
	var v any
	if json.Unmarshal(text, &v) != nil {
		return ""
	}
	return native(v)
}

// native writes a value of JSON, whose texts may hold templates, as an expression.
func native(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		b.WriteString("{\n")
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b.WriteString("(" + native(k) + ") = " + native(v[k]) + "\n")
		}
		return b.String() + "}"
	case []any:
		var list []string
		for _, item := range v {
			list = append(list, native(item))
		}
		return "[" + strings.Join(list, ", ") + "]"
	case string:
		return template(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return "null" // it was JSON a moment ago
		}
		return string(text)
	}
}

// template writes the text of a template as an expression.
func template(text string) string {
	parsed, found := hclsyntax.ParseTemplate([]byte(text), "", hcl.InitialPos)
	if found.HasErrors() {
		return literal(text)
	}
	piece := func(e hclsyntax.Expression) string {
		if v, ok := e.(*hclsyntax.LiteralValueExpr); ok {
			return literal(Plain(v.Val))
		}
		return "(" + string(e.Range().SliceBytes([]byte(text))) + ")"
	}
	switch t := parsed.(type) {
	case *hclsyntax.TemplateWrapExpr:
		return piece(t.Wrapped)
	case *hclsyntax.TemplateExpr:
		if len(t.Parts) == 1 {
			return piece(t.Parts[0])
		}
		var list []string
		for _, part := range t.Parts {
			list = append(list, piece(part))
		}
		return `join("", [` + strings.Join(list, ", ") + `])`
	}
	return literal(text)
}

func literal(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}
