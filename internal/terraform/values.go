package terraform

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/berthdev/berth"
)

// text is the value of an expression that is known without a context, as text.
func text(e hcl.Expression) string {
	v, found := e.Value(nil)
	if found.HasErrors() {
		return ""
	}
	return plain(v)
}

// plain is a value as people write it: a string as it is, others as JSON.
func plain(v cty.Value) string {
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

// variables reads the variable blocks of a module.
func (m module) variables() []berth.Variable {
	var list []berth.Variable
	for _, b := range m.of("variable", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{
			{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"},
		}})
		v := berth.Variable{Name: b.Labels[0], Required: true}
		for name, a := range content.Attributes {
			switch name {
			case "type":
				v.Type = m.source(a.Expr)
			case "default":
				v.Required, v.Default = false, text(a.Expr)
			case "description":
				v.Description = text(a.Expr)
			case "sensitive":
				v.Sensitive = text(a.Expr) == "true"
			}
		}
		if v.Sensitive {
			v.Default = ""
		}
		list = append(list, v)
	}
	return list
}

// variableFile is a .tfvars.json with the values that the module declares.
// Values of strings are taken as they are, others as expressions.
func (m module) variableFile(values map[string]string) ([]byte, error) {
	set := map[string]json.RawMessage{}
	var missing []string
	for _, v := range m.variables() {
		value, given := values[v.Name]
		if !given {
			if v.Required {
				missing = append(missing, v.Name)
			}
			continue
		}
		encoded, err := encode(v, value)
		if err != nil {
			return nil, err
		}
		set[v.Name] = encoded
	}
	if len(missing) > 0 {
		return nil, &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid,
			"the template needs a value for %s: give it with --variable %s=VALUE when you push it, or set a default in its variable block",
			strings.Join(missing, ", "), missing[0])}
	}
	return json.Marshal(set)
}

func encode(v berth.Variable, value string) (json.RawMessage, error) {
	if v.Type == "" || v.Type == "string" || v.Type == "any" {
		return json.Marshal(value)
	}
	e, found := hclsyntax.ParseExpression([]byte(value), "variable", hcl.InitialPos)
	if !found.HasErrors() {
		if parsed, problems := e.Value(nil); !problems.HasErrors() && parsed.IsWhollyKnown() {
			return ctyjson.Marshal(parsed, parsed.Type())
		}
	}
	return nil, &RunError{Code: berth.FailedTerraform, Err: berth.InvalidField("variables."+v.Name,
		"the value of the variable %s is no %s; write it as in Terraform, for instance [\"a\", \"b\"] for a list", v.Name, v.Type)}
}
