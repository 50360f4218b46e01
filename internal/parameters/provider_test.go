package parameters_test

import (
	"testing"

	"github.com/coder/terraform-provider-coder/v2/provider"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/parameters"
)

// TestCheckAgreesWithTheProvider: an answer passes here if and only if it passes
// in the Terraform provider that judges it later.
func TestCheckAgreesWithTheProvider(t *testing.T) {
	t.Parallel()
	value := rapid.SampledFrom([]string{"", "0", "7", "-3", "1.5", "1e3", "99", "true", "false", "T", "1", "[]", `["a"]`, `["a","x"]`, `[1]`, "a", "b", "abc", " a", "null"})
	rapid.Check(t, func(t *rapid.T) {
		ours := berth.Parameter{Name: "p", Required: true, Type: rapid.SampledFrom([]string{"string", "number", "bool", "list(string)"}).Draw(t, "type")}
		theirs := provider.Parameter{Name: "p", Type: provider.OptionType(ours.Type)}
		if rapid.Bool().Draw(t, "options") {
			options := map[string][]string{"string": {"a", "b"}, "number": {"7", "99"}, "bool": {"true", "false"}, "list(string)": {"[]", `["a"]`}}[ours.Type]
			if ours.Type == "list(string)" && rapid.Bool().Draw(t, "multi-select") {
				ours.FormType, theirs.FormType, options = "multi-select", provider.ParameterFormTypeMultiSelect, []string{"a", "b"}
			}
			for _, o := range options {
				ours.Options = append(ours.Options, berth.ParameterOption{Name: o, Value: o})
				theirs.Option = append(theirs.Option, provider.Option{Name: o, Value: o})
			}
		}
		if rapid.Bool().Draw(t, "validation") {
			ours.Validation = &berth.Validation{}
			v := provider.Validation{MinDisabled: true, MaxDisabled: true}
			if rapid.Bool().Draw(t, "min") {
				ours.Validation.Min, v.Min, v.MinDisabled = number(0), 0, false
			}
			if rapid.Bool().Draw(t, "max") {
				ours.Validation.Max, v.Max, v.MaxDisabled = number(50), 50, false
			}
			v.Monotonic = rapid.SampledFrom([]string{"", "increasing", "decreasing"}).Draw(t, "monotonic")
			if rapid.Bool().Draw(t, "regex") {
				v.Regex, v.Error = "^[ab]+$", "no"
			}
			ours.Validation.Monotonic, ours.Validation.Regex, ours.Validation.Error = v.Monotonic, v.Regex, v.Error
			theirs.Validation = []provider.Validation{v}
		}
		given := value.Draw(t, "value")
		var previous *string
		if rapid.Bool().Draw(t, "previous") {
			p := value.Draw(t, "before")
			previous = &p
		}
		_, diags := theirs.ValidateInput(&given, previous)
		err := parameters.Check(ours, given, previous)
		if diags.HasError() != (err != nil) {
			t.Fatalf("%q of %+v %+v after %v: the provider says %v, we say %v", given, ours, ours.Validation, previous, diags, err)
		}
	})
}

// TestFormTypesAreTheProviders: a parameter is asked as the provider would have
// it, and refused where that refuses it.
func TestFormTypesAreTheProviders(t *testing.T) {
	t.Parallel()
	for _, kind := range append(provider.OptionTypes(), "other") {
		for _, form := range append(provider.ParameterFormTypes(), "", "other") {
			for options := range 2 {
				q := berth.Parameter{Name: "p", Type: kind, FormType: string(form), Options: make([]berth.ParameterOption, options)}
				got, err := parameters.FormType(q)
				_, want, refused := provider.ValidateFormType(kind, options, form)
				if (err != nil) != (refused != nil) || err == nil && got != string(want) {
					t.Errorf("%s as %q with %d options: %q %v, the provider says %q %v", kind, form, options, got, err, want, refused)
				}
			}
		}
	}
}
