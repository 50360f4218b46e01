package terraform

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// variableFile is a .tfvars.json with the values that the module declares.
// Values of strings are taken as they are, others as expressions.
func variableFile(m source.Module, values map[string]string) ([]byte, error) {
	set := map[string]json.RawMessage{}
	var missing []string
	for _, v := range m.Variables() {
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
