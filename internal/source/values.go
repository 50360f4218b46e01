package source

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/berthdev/berth"
)

// Text is the value of an expression that is known without a context, as text.
func Text(e hcl.Expression) string {
	v, found := e.Value(nil)
	if found.HasErrors() {
		return ""
	}
	return Plain(v)
}

// Plain is a value as people write it: a string as it is, others as JSON.
func Plain(v cty.Value) string {
	if v.IsNull() || !v.IsWhollyKnown() {
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
