package terraform

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/source"
)

// TestFormsAreWhatTerraformComputes: whatever a template asks, and whatever is
// answered, its form has the questions that the real plugin makes of it, each
// with the same options, limits and answer; and a form without a problem is one
// that Terraform takes. A plan takes as long as thousands of other properties, so
// there are few cases unless -rapid.checks says more than usual.
func TestFormsAreWhatTerraformComputes(t *testing.T) {
	t.Parallel()
	p := newPlanner(t)
	plans, taken, found := 0, 0, false
	few := flag.Lookup("rapid.checks").Value.String() == flag.Lookup("rapid.checks").DefValue
	rapid.Check(t, func(r *rapid.T) {
		if few && plans >= 15 && !found { // once a fault is found, it is made small
			return
		}
		c := drawCase(r)
		template, err := forms.Open(source.Files{"main.tf": []byte(c.text)})
		if err != nil {
			r.Fatalf("%v\n%s", err, c.text)
		}
		in := forms.Input{Answers: parameters.Answers{Request: c.answers, Previous: c.previous}, Owner: c.owner}
		form := template.Evaluate(in)
		for range 20 {
			open := slices.IndexFunc(form.Questions, func(q berth.Question) bool { return q.Source == berth.FromNowhere })
			if open < 0 {
				break
			}
			q := form.Questions[open]
			c.answers[q.Name] = rapid.SampledFrom(c.values[q.Type][:2]).Draw(r, "answer to "+q.Name)
			form = template.Evaluate(in)
		}
		problems := slices.Clone(form.Notes)
		ours := map[string]seenParameter{}
		env := c.env()
		for _, q := range form.Questions {
			for _, s := range []string{q.Problem, q.Note} {
				if s != "" {
					problems = append(problems, q.Name+": "+s)
				}
			}
			ours[q.Name] = ourParameter(q)
			env = append(env, parameterVariable(q.Name)+"="+q.Value)
		}
		theirs, failed := p.plan(r, c.text, env)
		plans++
		before := found
		found = true
		said := fmt.Sprintf("%s\nanswers %v, before %v, groups %v\nours: %v", c.text, c.answers, c.previous, c.owner.Groups, problems)
		switch {
		case failed != "" && len(problems) == 0:
			r.Fatalf("the form has no problem, and terraform says %s\n%s", failed, said)
		case failed != "":
			found = before
			return
		case len(problems) > 0 && !slices.ContainsFunc(form.Questions, func(q berth.Question) bool { return strings.Contains(q.Problem, "cannot be changed") }):
			r.Fatalf("terraform takes what the form refuses\n%s", said)
		}
		taken++
		if diff := cmp.Diff(theirs, ours, cmpopts.EquateEmpty()); diff != "" {
			r.Fatalf("terraform (-) has other questions than the form (+):\n%s\n%s", diff, said)
		}
		found = before
	})
	if plans > 10 && taken*4 < plans {
		t.Errorf("of %d plans, terraform took only %d: the templates are too bad to tell anything", plans, taken)
	}
	t.Logf("%d plans, of which terraform took %d", plans, taken)
}

// formCase is a template and what is answered.
type formCase struct {
	text              string
	answers, previous map[string]string
	owner             forms.Owner
	values            map[string][]string // by type
}

func (c formCase) env() (env []string) {
	groups, _ := json.Marshal(c.owner.Groups)
	env = []string{"CODER_WORKSPACE_OWNER_GROUPS=" + string(groups), "CODER_WORKSPACE_OWNER=" + c.owner.Name, "CODER_WORKSPACE_TRANSITION=start"}
	for name, value := range c.previous {
		env = append(env, strings.Replace(parameterVariable(name), "CODER_PARAMETER_", "CODER_PARAMETER_PREVIOUS_", 1)+"="+value)
	}
	return env
}

// drawCase draws one to six questions, each of which may hang on those before.
func drawCase(r *rapid.T) formCase {
	c := formCase{answers: map[string]string{}, previous: map[string]string{}, values: map[string][]string{
		"string": {"a", "b", "ab", "zz", ""}, "number": {"7", "12", "15", "1.5", "x"}, "bool": {"true", "false", "false", "1", "yes"}, "list(string)": {"[]", `["a"]`, `["a","b"]`, "a", `["c"]`},
	}}
	c.owner = forms.Owner{Name: "ana", FullName: "ana"}
	yes := func(label string) bool { return rapid.Bool().Draw(r, label) }
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(r, label) }
	seldom := func(label string) bool { return rapid.IntRange(0, 9).Draw(r, label) == 9 }
	// value is an answer, as a rule one of the first few, which are right.
	value := func(label, kind string, few int) string {
		if seldom(label + " is wrong") {
			return one(label, c.values[kind]...)
		}
		return one(label, c.values[kind][:few]...)
	}
	for _, g := range []string{"gpu", "infra"} {
		if yes("in " + g) {
			c.owner.Groups = append(c.owner.Groups, g)
		}
	}
	var b strings.Builder
	b.WriteString(planned)
	conditions := []string{`contains(data.coder_workspace_owner.me.groups, "gpu")`, `length(data.coder_workspace_owner.me.groups) > 1`, `data.coder_workspace_owner.me.name == "ana"`}
	texts := []string{`data.coder_workspace_owner.me.name`, `join("-", sort(data.coder_workspace_owner.me.groups))`}
	var all []string
	for i := range rapid.IntRange(1, 6).Draw(r, "questions") {
		name := fmt.Sprintf("p%d", i)
		condition := func() string { return one("condition", conditions...) }
		// either is an expression that gives one of two values, by something or always.
		either := func(label, x, y string) string {
			if yes(label + " hangs on something") {
				return condition() + " ? " + x + " : " + y
			}
			return one(label, x, y)
		}
		kind := one("type", "string", "string", "number", "bool", "list(string)")
		fmt.Fprintf(&b, "\ndata \"coder_parameter\" %q {\n", name)
		asked := []string{name}
		single := false
		switch one("times", "one", "one", "count", "each") {
		case "one":
			single = true
			fmt.Fprintf(&b, "  name = %q\n", name)
		case "count":
			fmt.Fprintf(&b, "  count = %s\n  name = %q\n", either("count", "1", "0"), name)
			conditions = append(conditions, fmt.Sprintf("length(data.coder_parameter.%s) == 1", name))
			texts = append(texts, fmt.Sprintf(`join("", data.coder_parameter.%s[*].value)`, name))
		case "each":
			fmt.Fprintf(&b, "  for_each = toset(%s)\n  name = \"%s-${each.key}\"\n", either("for_each", `["x", "y"]`, `["y"]`), name)
			asked = []string{name + "-x", name + "-y"}
			texts = append(texts, fmt.Sprintf(`data.coder_parameter.%s["y"].value`, name))
		}
		fmt.Fprintf(&b, "  type = %q\n", kind)
		if single {
			conditions = append(conditions, fmt.Sprintf("data.coder_parameter.%s.value == %q", name, c.values[kind][0]))
			texts = append(texts, fmt.Sprintf("data.coder_parameter.%s.value", name))
		}
		form := ""
		options := yes("options")
		if options {
			if kind == "list(string)" && yes("multi-select") {
				form = "multi-select"
				b.WriteString("  option {\n    name = \"A\"\n    value = \"a\"\n  }\n  option {\n    name = \"B\"\n    value = \"b\"\n  }\n")
			} else {
				v := c.values[kind]
				few, many := fmt.Sprintf("[%q]", v[0]), fmt.Sprintf("[%q, %q]", v[0], v[1])
				fmt.Fprintf(&b, "  dynamic \"option\" {\n    for_each = %s\n    content {\n      name = \"is ${option.value}\"\n      value = option.value\n      description = %s\n    }\n  }\n",
					either("options", many, few), one("description", `""`, "option.key", `upper(option.value)`))
			}
		}
		if !yes("required") {
			right := 3
			if options {
				right = 1
			}
			fallback := either("default", fmt.Sprintf("%q", value("one default", kind, right)), fmt.Sprintf("%q", value("another default", kind, right)))
			if kind == "string" && !options && yes("default of others") {
				fallback = one("default of others", texts...)
				if strings.Contains(fallback, "coder_parameter."+name) {
					fallback = texts[0] // a question cannot hang on itself
				}
			}
			fmt.Fprintf(&b, "  default = %s\n", fallback)
		}
		if !options && yes("validation") {
			b.WriteString("  validation {\n")
			switch kind {
			case "number":
				fmt.Fprintf(&b, "    min = %s\n    max = %s\n", either("min", "0", "5"), either("max", "20", "50"))
				if m := one("monotonic", "", "increasing", "decreasing"); m != "" {
					fmt.Fprintf(&b, "    monotonic = %q\n", m)
				}
			case "string":
				fmt.Fprintf(&b, "    regex = %s\n    error = \"no {value}\"\n", either("regex", `"^[ab]*$"`, `"^[a-z]+$"`))
			}
			b.WriteString("  }\n")
		}
		if form == "" && yes("form type") {
			right := map[string][]string{"string": {"input", "textarea"}, "number": {"input", "slider"}, "bool": {"checkbox", "switch"}, "list(string)": {"tag-select"}}[kind]
			if options {
				right = []string{"radio"}
			}
			if seldom("form type is wrong") {
				right = []string{"input", "dropdown", "slider", "switch", "tag-select"}
			}
			form = one("form type", right...)
		}
		if form != "" {
			fmt.Fprintf(&b, "  form_type = %q\n", form)
		}
		fmt.Fprintf(&b, "  mutable = %s\n  order = %s\n  display_name = \"%s of ${data.coder_workspace_owner.me.name}\"\n", either("mutable", "true", "false"), either("order", "1", "3"), name)
		if yes("described") {
			fmt.Fprintf(&b, "  description = <<-EOT\n    Of %s.\n    EOT\n  icon = \"/icon/%s.svg\"\n", name, name)
		}
		if yes("condition") {
			fmt.Fprintf(&b, "  lifecycle {\n    postcondition {\n      condition = self.value != \"zz\"\n      error_message = \"Not that.\"\n    }\n  }\n")
		}
		b.WriteString("}\n")
		all = append(all, name)
		for _, n := range asked {
			if yes("answer " + n) {
				c.answers[n] = value("value of "+n, kind, 2)
			}
			if seldom("before " + n) {
				c.previous[n] = value("value before of "+n, kind, 2)
			}
		}
	}
	b.WriteString("\noutput \"seen\" {\n  value = {\n")
	for _, name := range all {
		fmt.Fprintf(&b, "    %s = data.coder_parameter.%s\n", name, name)
	}
	b.WriteString("  }\n}\n")
	c.text = b.String()
	return c
}

const planned = `terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace_owner" "me" {}
`

// planner runs terraform, with the real plugin, on one template after the other.
type planner struct {
	terraform, dir string
	env            []string
}

func newPlanner(t *testing.T) *planner {
	t.Helper()
	e := engine(t)
	p := &planner{terraform: e.Path, dir: t.TempDir()}
	config := filepath.Join(p.dir, "terraformrc")
	p.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=" + config}
	p.write(t, "terraformrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", pluginMirror))
	p.write(t, "main.tf", planned)
	if out, err := p.run(nil, "init", "-no-color"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

type fatal interface{ Fatalf(string, ...any) }

func (p *planner) write(t fatal, name, text string) {
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
}

func (p *planner) run(env []string, args ...string) ([]byte, error) {
	cmd := exec.Command(p.terraform, args...)
	cmd.Dir, cmd.Env = p.dir, append(slices.Clone(p.env), env...)
	return cmd.CombinedOutput()
}

// plan gives what terraform makes of a template's questions, or what it says
// against it.
func (p *planner) plan(t fatal, text string, env []string) (seen map[string]seenParameter, failed string) {
	p.write(t, "main.tf", text)
	_ = os.Remove(filepath.Join(p.dir, "terraform.tfstate"))
	out, _ := p.run(env, "apply", "-auto-approve", "-input=false", "-json")
	for line := range bytes.Lines(out) {
		var m struct {
			Level   string `json:"@level"`
			Message string `json:"@message"`
			Outputs map[string]struct{ Value map[string]json.RawMessage }
		}
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		if m.Level == "error" {
			failed += m.Message + "\n" + string(line)
		}
		if blocks := m.Outputs["seen"].Value; blocks != nil {
			seen = map[string]seenParameter{}
			for _, raw := range blocks {
				for _, one := range instancesOf(t, raw) {
					seen[one.Name] = one
				}
			}
		}
	}
	if failed == "" && seen == nil {
		t.Fatalf("terraform says nothing of the questions:\n%s", out)
	}
	return seen, failed
}

// instancesOf are the objects of a block: one, a list of them or a map.
func instancesOf(t fatal, raw json.RawMessage) []seenParameter {
	var one seenParameter
	var list []seenParameter
	var each map[string]seenParameter
	switch {
	case json.Unmarshal(raw, &list) == nil:
		return list
	case json.Unmarshal(raw, &one) == nil && one.Name != "":
		return []seenParameter{one}
	case json.Unmarshal(raw, &each) == nil:
		for _, p := range each {
			list = append(list, p)
		}
		return list
	}
	t.Fatalf("not a parameter: %s", raw)
	return nil
}

// seenParameter is a question as terraform shows it.
type seenParameter struct {
	Name        string           `json:"name"`
	Type        string           `json:"type"`
	FormType    string           `json:"form_type"`
	DisplayName string           `json:"display_name"`
	Description string           `json:"description"`
	Icon        string           `json:"icon"`
	Default     string           `json:"default"` // null where it is empty
	Optional    bool             `json:"optional"`
	Value       string           `json:"value"`
	Mutable     bool             `json:"mutable"`
	Ephemeral   bool             `json:"ephemeral"`
	Order       int              `json:"order"`
	Option      []seenOption     `json:"option"`
	Validation  []seenValidation `json:"validation"`
}

type seenOption struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Description string `json:"description"`
	Icon        string `json:"icon"`
}

type seenValidation struct {
	Min         int    `json:"min"`
	Max         int    `json:"max"`
	MinDisabled bool   `json:"min_disabled"`
	MaxDisabled bool   `json:"max_disabled"`
	Monotonic   string `json:"monotonic"`
	Regex       string `json:"regex"`
	Error       string `json:"error"`
}

// ourParameter is a question of a form in the same words.
func ourParameter(q berth.Question) seenParameter {
	p := seenParameter{Name: q.Name, Type: q.Type, FormType: q.FormType, DisplayName: q.DisplayName, Description: q.Description, Icon: q.Icon,
		Value: q.Value, Mutable: q.Mutable, Ephemeral: q.Ephemeral, Order: q.Order, Default: q.Default, Optional: !q.Required}
	for _, o := range q.Options {
		p.Option = append(p.Option, seenOption{o.Name, o.Value, o.Description, o.Icon})
	}
	if v := q.Validation; v != nil {
		s := seenValidation{Monotonic: v.Monotonic, Regex: v.Regex, Error: v.Error, MinDisabled: v.Min == nil, MaxDisabled: v.Max == nil}
		if v.Min != nil {
			s.Min = *v.Min
		}
		if v.Max != nil {
			s.Max = *v.Max
		}
		p.Validation = append(p.Validation, s)
	}
	return p
}
