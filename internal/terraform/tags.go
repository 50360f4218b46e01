package terraform

import (
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
	"github.com/berthdev/berth/internal/tags"
)

// tags keeps what the coder_workspace_tags of the root module say, as it is
// written. It is an error if that does not come to what Terraform made of it: a
// workspace's provider is chosen before Terraform runs.
func (p shown) tags(root source.Module, variables map[string]string) (*berth.Tags, error) {
	var t berth.Tags
	var first *hcl.Block
	want := map[string]string{}
	for _, k := range p.data("coder_workspace_tags") {
		if k.module == "" {
			maps.Copy(want, k.texts("tags"))
		}
	}
	locals := localValues(root)
	for _, b := range root.Of("data", "coder_workspace_tags") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "tags"}}})
		a, ok := content.Attributes["tags"]
		if !ok {
			continue
		}
		if first == nil {
			first = b
		}
		t.Blocks = append(t.Blocks, root.Raw(a.Expr))
		p.uses(&t, root, locals, a.Expr)
	}
	if first == nil {
		return nil, nil
	}
	answers := map[string]string{}
	for _, k := range p.data("coder_parameter") {
		answers[k.text("name")] = k.text("value")
	}
	got, err := tags.Evaluate(&t, tags.Given{Variables: tags.Variables(root.Variables(), variables), Answers: answers})
	if err == nil && !maps.Equal(got, want) {
		err = berth.Errorf(berth.Invalid, "Berth makes %q of them, and Terraform %q", tags.Say(got), tags.Say(want))
	}
	if err != nil {
		return nil, fmt.Errorf("%sthe tags have to be known before Terraform runs, since they choose where it does; use texts, variables and parameters only: %w", source.Place(&first.DefRange), err)
	}
	t.Values = got
	return &t, nil
}

// uses notes the local values and parameters that an expression refers to.
func (p shown) uses(t *berth.Tags, root source.Module, locals map[string]hcl.Expression, e hcl.Expression) {
	for _, reference := range e.Variables() {
		words := source.Names(reference)
		switch {
		case len(words) > 1 && words[0] == "local":
			inner, ok := locals[words[1]]
			if _, done := t.Locals[words[1]]; done || !ok {
				continue
			}
			if t.Locals == nil {
				t.Locals = map[string]string{}
			}
			t.Locals[words[1]] = root.Raw(inner)
			p.uses(t, root, locals, inner)
		case len(words) > 2 && words[0] == "data" && words[1] == "coder_parameter":
			for _, k := range p.data("coder_parameter") {
				if k.module == "" && k.name == words[2] && k.key == "" {
					if t.Parameters == nil {
						t.Parameters = map[string]string{}
					}
					t.Parameters[words[2]] = k.text("name")
				}
			}
		}
	}
}
