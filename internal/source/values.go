package source

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/berthdev/berth"
)

// Text is the value of an expression that is known without a context, as text.
func Text(e hcl.Expression) string {
	v, ok := Value(e)
	if !ok {
		return ""
	}
	return Plain(v)
}

// Value is the value of an expression that stands in the file as it is. Loops are
// none, nor what takes memory beyond the size of its text.
func Value(e hcl.Expression) (cty.Value, bool) {
	if native, ok := e.(hclsyntax.Expression); ok && !plain(native) {
		return cty.NilVal, false
	}
	v, found := e.Value(nil)
	return v, !found.HasErrors()
}

// plain tells whether an expression is made of what stands in the file.
func plain(e hclsyntax.Expression) bool {
	ok := true
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.LiteralValueExpr:
			ok = ok && !Huge(n.Val)
		case *hclsyntax.BinaryOpExpr:
			ok = ok && n.Op != hclsyntax.OpModulo
		case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr, *hclsyntax.ObjectConsKeyExpr,
			*hclsyntax.UnaryOpExpr, *hclsyntax.ParenthesesExpr, *hclsyntax.ConditionalExpr, *hclsyntax.ScopeTraversalExpr:
		default:
			ok = false
		}
		return nil
	})
	return ok
}

// Huge tells whether a number has more digits than anybody writes: as text it
// takes memory like its size.
func Huge(v cty.Value) bool {
	const most = 4096 // bits
	if v.IsMarked() || v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return false
	}
	e := v.AsBigFloat().MantExp(nil)
	return e > most || e < -most
}

// Expression parses a value that is written as in a file.
func Expression(text string) (hcl.Expression, error) {
	if err := bearable("the value", []byte(text)); err != nil {
		return nil, err
	}
	e, found := hclsyntax.ParseExpression([]byte(text), "value", hcl.InitialPos)
	if found.HasErrors() {
		return nil, syntaxError(found)
	}
	return e, nil
}

// Template parses the text of a template file, as templatefile reads it.
func Template(name string, text []byte) (hclsyntax.Expression, error) {
	tokens, _ := hclsyntax.LexTemplate(text, name, hcl.InitialPos)
	if err := bearableTokens(name, tokens); err != nil {
		return nil, err
	}
	e, found := hclsyntax.ParseTemplate(text, name, hcl.InitialPos)
	if found.HasErrors() {
		return nil, syntaxError(found)
	}
	return e, nil
}

// Plain is a value as people write it: a string as it is, others as JSON.
func Plain(v cty.Value) string {
	if v.IsNull() || !v.IsWhollyKnown() || Huge(v) {
		return ""
	}
	if s, err := convert.Convert(v, cty.String); err == nil && !s.IsNull() {
		return s.AsString()
	}
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return ""
	}
	return string(b)
}

// Literal is the value of an attribute that is known without a context, as
// text, else "".
func Literal(body hcl.Body, name string) string {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
	a, ok := content.Attributes[name]
	if !ok {
		return ""
	}
	return Text(a.Expr)
}

// Variables reads the variable blocks of a module.
func (m Module) Variables() []berth.Variable {
	var list []berth.Variable
	for _, b := range m.Of("variable", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{
			{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"},
		}})
		v := berth.Variable{Name: b.Labels[0], Required: true}
		for name, a := range content.Attributes {
			switch name {
			case "type":
				v.Type = m.Source(a.Expr)
			case "default":
				v.Required, v.Default = false, Text(a.Expr)
			case "description":
				v.Description = Text(a.Expr)
			case "sensitive":
				v.Sensitive = Text(a.Expr) == "true"
			}
		}
		if v.Sensitive {
			v.Default = ""
		}
		list = append(list, v)
	}
	return list
}
