package terraform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/source"
)

// TestFormFunctionsAreTerraforms: expressions give in a form what they give in
// terraform; one that terraform refuses is left undecided.
func TestFormFunctionsAreTerraforms(t *testing.T) {
	t.Parallel()
	p := newPlanner(t)
	good := []string{
		`cidrhost("10.12.112.0/20", 16)`, `cidrhost("10.12.112.0/20", -1)`, `cidrhost("10.12.127.9/20", 268)`, `cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`, `cidrhost("10.0.0.1/32", 0)`,
		`cidrnetmask("172.16.0.0/12")`, `cidrnetmask("0.0.0.0/0")`, `cidrnetmask("1.2.3.4/32")`,
		`cidrsubnet("172.16.0.0/12", 4, 2)`, `cidrsubnet("10.1.2.0/24", 4, 15)`, `cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`, `cidrsubnet("10.1.2.3/24", 0, 0)`,
		`join(" ", cidrsubnets("10.1.0.0/16", 4, 4, 8, 4))`, `join(" ", cidrsubnets("10.1.0.0/16", 8, 2, 1))`, `join(" ", cidrsubnets("fd00::/48", 16, 8))`,
		`templatefile("hello.tftpl", { who = data.coder_workspace_owner.me.name, list = ["a", "b"] })`,
		`templatefile("${path.module}/hello.tftpl", { who = upper("x"), list = [] })`,
		`tostring(templatefile("one.tftpl", { n = 3 }) + 1)`,
	}
	bad := []string{
		`cidrhost("10.0.0.0/30", 4)`, `cidrhost("10.0.0.0/30", -5)`, `cidrhost("x", 1)`, `cidrnetmask("fd00::/8")`, `cidrsubnet("10.0.0.0/30", 3, 0)`, `cidrsubnet("10.0.0.0/8", 2, 4)`,
		`cidrsubnet("10.0.0.0/8", 2, 1.5)`, `join(" ", cidrsubnets("10.0.0.0/30", 1, 1, 1))`, `join(" ", cidrsubnets("10.1.0.0/16", 8, 1, 2))`, `templatefile("none.tftpl", {})`, `templatefile("hello.tftpl", { who = "x" })`, `templatefile("../hello.tftpl", {})`,
		`templatefile("again.tftpl", {})`,
	}
	files := source.Files{"hello.tftpl": []byte("hello ${who}%{ for x in list ~}\n- ${upper(x)}\n%{ endfor ~}\n"), "one.tftpl": []byte("${n}"),
		"again.tftpl": []byte(`${templatefile("one.tftpl", {n = 1})}`)}
	for name, data := range files {
		p.write(t, name, string(data))
	}
	form := func(expressions []string) (text string, values map[string]string) {
		text, all := planned, []string{}
		for i, e := range expressions {
			text += fmt.Sprintf("data \"coder_parameter\" \"p%d\" {\n  name = \"p%d\"\n  default = %s\n}\n", i, i, e)
			all = append(all, fmt.Sprintf("p%d = data.coder_parameter.p%d", i, i))
		}
		text += "output \"seen\" {\n  value = {\n" + strings.Join(all, "\n") + "\n  }\n}\n"
		files["main.tf"] = []byte(text)
		template, err := forms.Open(files)
		if err != nil {
			t.Fatal(err)
		}
		values = map[string]string{}
		for _, q := range template.Evaluate(forms.Input{Answers: parameters.Answers{}, Owner: forms.Owner{Name: "ana"}}).Questions {
			if q.Note == "" {
				values[q.Name] = q.Value
			}
		}
		return text, values
	}
	text, ours := form(good)
	theirs, failed := p.plan(t, text, []string{"CODER_WORKSPACE_OWNER=ana"})
	if failed != "" {
		t.Fatal(failed)
	}
	for i, e := range good {
		if name := fmt.Sprintf("p%d", i); ours[name] != theirs[name].Value {
			t.Errorf("%s: %q here, %q in terraform", e, ours[name], theirs[name].Value)
		}
	}
	_, ours = form(bad)
	for i, e := range bad {
		if got, ok := ours[fmt.Sprintf("p%d", i)]; ok {
			t.Errorf("%s gives %q", e, got)
		}
	}
}

// TestOverridesInFormsAreTerraforms: files called override change questions as
// terraform has it.
func TestOverridesInFormsAreTerraforms(t *testing.T) {
	t.Parallel()
	p := newPlanner(t)
	files := source.Files{
		"main.tf": []byte(planned + `
variable "region" {
  default = "us"
}
locals {
  few  = ["a"]
  many = ["a", "b"]
}
data "coder_parameter" "p" {
  name    = "p"
  default = local.few[0]
  mutable = true
  order   = 3
  option {
    name  = "One"
    value = "one"
  }
  dynamic "option" {
    for_each = local.few
    content {
      name  = option.value
      value = option.value
    }
  }
}
data "coder_parameter" "q" {
  name    = "q"
  default = var.region
  validation {
    regex = "^[a-z]+$"
    error = "no"
  }
}
output "seen" {
  value = { p = data.coder_parameter.p, q = data.coder_parameter.q }
}
`),
		"a_override.tf": []byte(`
locals {
  few = ["b", "c"]
}
variable "region" {
  default = "eu"
}
data "coder_parameter" "p" {
  order = 7
  dynamic "option" {
    for_each = concat(local.few, ["d"])
    content {
      name  = upper(option.value)
      value = option.value
    }
  }
}
`),
		"override.tf": []byte("data \"coder_parameter\" \"q\" {\n  display_name = \"Q\"\n}\ndata \"coder_parameter\" \"p\" {\n  mutable = false\n  order = 8\n}\n"),
	}
	for name, data := range files {
		p.write(t, name, string(data))
	}
	template, err := forms.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]seenParameter{}
	r := template.Evaluate(forms.Input{Owner: forms.Owner{Name: "ana"}})
	for _, q := range r.Questions {
		ours[q.Name] = ourParameter(q)
	}
	theirs, failed := p.plan(t, string(files["main.tf"]), nil)
	if diff := cmp.Diff(theirs, ours, cmpopts.EquateEmpty()); failed != "" || diff != "" || len(r.Notes) > 0 {
		t.Errorf("%s\n%s\n%v", failed, diff, r.Notes)
	}
}
