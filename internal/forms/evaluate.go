package forms

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/parameters"
)

// Input is what the questions depend on.
type Input struct {
	Imported  []berth.Parameter // what the import found
	Variables map[string]string // of the version, by their push
	Answers   parameters.Answers
	Owner     Owner
	Workspace Workspace
}

// Owner is whose workspace it is or will be.
type Owner struct {
	ID, Name, FullName, Email, LoginType string
	Groups                               []string
	Roles                                []Role
}

// Role is one of the owner's; Organization is the id of where they have it, ""
// everywhere.
type Role struct {
	Name         string `json:"name"`
	Organization string `json:"org_id"`
}

// Workspace is for which it is asked. What is empty is not known yet.
type Workspace struct {
	ID, Name, AccessURL, TemplateID, TemplateName, Version string
}

// Result is what is asked, in the order in which it is shown.
type Result struct {
	Questions []berth.Question
	Notes     []string        // about the form as a whole
	Possible  map[string]bool // names that are asked with other answers
	Once      map[string]bool // names of those whose answers hold for one build
	Open      bool            // and there may be more of them
}

// Asked is the same without what was answered.
func (r Result) Asked() parameters.Asked {
	list := make([]berth.Parameter, len(r.Questions))
	for i, q := range r.Questions {
		list[i] = q.Parameter
	}
	return parameters.Asked{Questions: list, Possible: r.Possible, Once: r.Once, Open: r.Open}
}

// Form is the result as it is shown to who gave these answers.
func (r Result) Form(given map[string]string) berth.Form {
	f := berth.Form{Questions: r.Questions, Notes: r.Notes}
	asked := map[string]bool{}
	for _, q := range r.Questions {
		asked[q.Name] = true
	}
	for _, name := range sortedNames(given) {
		switch {
		case asked[name]:
		case r.Possible[name]:
			f.Unasked = append(f.Unasked, name)
		default:
			f.Unknown = append(f.Unknown, name)
		}
	}
	return f
}

// evaluation is one look at a template.
type evaluation struct {
	t        *Template
	in       Input
	budget   *budget
	depth    int
	scopes   int
	imported map[string]berth.Parameter
	out      Result
	asked    map[string]bool // names in out, or left out with a reason
	rest     bool            // some questions could not be told from the files
	notes    map[string]bool
	calls    map[*module]map[string]function.Function
}

// functions are those that a module may call, with the budget of this evaluation.
func (e *evaluation) functions(m *module) map[string]function.Function {
	if e.calls[m] == nil {
		e.calls[m] = maps.Clone(m.functions)
		maps.Copy(e.calls[m], patterns(e.budget))
		inner := maps.Clone(e.calls[m]) // a template file reads no other one
		e.calls[m]["templatefile"] = templateFile(e.budget, m.find, inner)
	}
	return e.calls[m]
}

// Evaluate finds what is asked. It always gives an answer: where nothing can be
// decided, that of the import.
func (t *Template) Evaluate(in Input) (r Result) {
	if t == nil {
		return Imported(in, "the files of the version cannot be read")
	}
	if t.why != "" {
		return Imported(in, t.why)
	}
	defer func() {
		if p := recover(); p != nil { // a library's: what is asked must not end the server
			r = Imported(in, "they cannot be evaluated")
		}
	}()
	e := &evaluation{t: t, in: in, budget: &budget{left: most}, imported: map[string]berth.Parameter{}, asked: map[string]bool{}, notes: map[string]bool{}, calls: map[*module]map[string]function.Function{}}
	e.out.Possible, e.out.Once = map[string]bool{}, map[string]bool{}
	for _, m := range t.modules {
		for _, b := range m.order {
			if b.literal == "" {
				e.out.Open = true
				continue
			}
			e.out.Possible[b.literal] = true
			if b.once {
				e.out.Once[b.literal] = true
			}
		}
	}
	missed := []berth.Parameter{} // the import found them, and nothing in the files can be them
	for _, p := range in.Imported {
		if !e.out.Possible[p.Name] && !e.out.Open {
			missed = append(missed, p)
		}
		e.imported[p.Name], e.out.Possible[p.Name] = p, true
		if p.Ephemeral {
			e.out.Once[p.Name] = true
		}
	}
	e.walk(newScope(e, t.modules["."], nil, nil, instance{}))
	if e.budget.left < 0 {
		return Imported(in, "evaluating them takes too much")
	}
	if e.rest {
		e.out.Open = true
		for _, p := range in.Imported {
			if !e.asked[p.Name] {
				e.ask(p, "")
			}
		}
	}
	for _, p := range missed {
		e.ask(p, "")
	}
	slices.SortStableFunc(e.out.Questions, func(a, b berth.Question) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name))
	})
	return e.out
}

// Imported is what the import found, as it is asked where nothing else can be told.
func Imported(in Input, why string) Result {
	e := &evaluation{in: in, asked: map[string]bool{}, notes: map[string]bool{}}
	e.out.Possible, e.out.Once, e.out.Open = map[string]bool{}, map[string]bool{}, true
	for _, p := range in.Imported {
		e.out.Possible[p.Name] = true
		if p.Ephemeral {
			e.out.Once[p.Name] = true
		}
		e.ask(p, "")
	}
	if why != "" {
		e.note("The questions are those that the import found: " + why + ".")
	}
	return e.out
}

func (e *evaluation) note(text string) {
	if !e.notes[text] {
		e.notes[text] = true
		e.out.Notes = append(e.out.Notes, text)
	}
}

// ask adds a question.
func (e *evaluation) ask(p berth.Parameter, note string, problems ...string) {
	if e.asked[p.Name] {
		return
	}
	e.asked[p.Name], e.out.Possible[p.Name] = true, true
	q := berth.Question{Parameter: p, Note: note}
	q.Value, q.Source = parameters.Choose(p, e.in.Answers)
	_, before := e.in.Answers.Previous[p.Name]
	q.Fixed = before && !p.Mutable
	if v := p.Validation; v != nil && v.Regex != "" && e.budget != nil {
		if _, err := e.budget.compiled(v.Regex, q.Value, false); errors.Is(err, errTooMuch) && e.budget.left < 0 {
			return // all of it is given up
		}
	}
	if err := parameters.Judge(p, q.Value, q.Source, e.in.Answers); err != nil {
		problems = append([]string{berth.ErrorMessage(err)}, problems...)
	} else if err := parameters.Sound(p); err != nil {
		problems = append([]string{berth.ErrorMessage(err)}, problems...)
	}
	q.Problem = strings.Join(problems, "; ")
	e.out.Questions = append(e.out.Questions, q)
}

// walk asks what a module asks, and what those that it calls do.
func (e *evaluation) walk(s *scope) {
	for _, b := range s.m.order {
		list, why := s.parameters(b)
		switch {
		case why == "":
		case waits(why):
			e.asked[b.literal] = true
			e.note("More is asked once there is " + why + ".")
		default:
			e.rest = true
			e.note(fmt.Sprintf("%sWhether %s is asked depends on %s, which is not known before Terraform runs: it is shown as the import found it.",
				placed(b.DefRange), cmp.Or(b.literal, b.Labels[1]), why))
		}
		for _, p := range list {
			e.ask(p.Parameter, p.note(), p.problems...)
		}
	}
	for _, b := range s.m.callOrder {
		found := s.called(b.Labels[0])
		switch {
		case found.why == "":
		case waits(found.why):
			e.note("More is asked once there is " + found.why + ".")
		default:
			e.rest = true
			e.note(fmt.Sprintf("%sWhat the module %s asks is shown as the import found it: it depends on %s.", placed(b.DefRange), b.Labels[0], found.why))
		}
		for _, inner := range found.scopes {
			e.walk(inner)
		}
	}
}

func placed(r hcl.Range) string { return placeOf(r) + ": " }

// waitsFor begins the reason why something is not known that an answer will tell.
const waitsFor = "an answer to "

func waits(why string) bool { return strings.HasPrefix(why, waitsFor) }

// data is the value of a data source, where it is one that is known here.
func (s *scope) data(kind, name string) (cty.Value, string) {
	address := "data." + kind + "." + name
	b, ok := s.m.blocks[kind+"."+name]
	if !ok {
		return cty.DynamicVal, address
	}
	return s.lazy(address, func() (cty.Value, string) {
		switch kind {
		case parameterType:
			return s.answered(b)
		case "coder_workspace":
			return s.e.in.Workspace.value(), address
		case "coder_workspace_owner":
			return s.e.in.Owner.value(), address
		}
		return cty.DynamicVal, address
	})
}

// value is what the data source coder_workspace gives at a start.
func (w Workspace) value() cty.Value {
	attrs := map[string]cty.Value{
		"transition": cty.StringVal("start"), "start_count": cty.NumberIntVal(1), "prebuild_count": cty.NumberIntVal(0),
		"is_prebuild": cty.False, "is_prebuild_claim": cty.False, "access_port": cty.UnknownVal(cty.Number),
	}
	for name, v := range map[string]string{"id": w.ID, "name": w.Name, "access_url": w.AccessURL, "template_id": w.TemplateID,
		"template_name": w.TemplateName, "template_version": w.Version} {
		attrs[name] = cty.UnknownVal(cty.String)
		if v != "" {
			attrs[name] = cty.StringVal(v)
		}
	}
	return cty.ObjectVal(attrs)
}

// value is what the data source coder_workspace_owner gives, but the secrets.
func (o Owner) value() cty.Value {
	attrs := map[string]cty.Value{
		"id": cty.StringVal(o.ID), "name": cty.StringVal(o.Name), "full_name": cty.StringVal(cmp.Or(o.FullName, o.Name)),
		"email": cty.StringVal(o.Email), "login_type": cty.StringVal(o.LoginType),
	}
	for _, name := range []string{"ssh_public_key", "ssh_private_key", "session_token", "oidc_access_token"} {
		attrs[name] = cty.UnknownVal(cty.String)
	}
	groups := []cty.Value{}
	for _, g := range o.Groups {
		groups = append(groups, cty.StringVal(g))
	}
	role := map[string]cty.Type{"name": cty.String, "org_id": cty.String}
	roles := []cty.Value{}
	for _, r := range o.Roles {
		roles = append(roles, cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(r.Name), "org_id": cty.StringVal(r.Organization)}))
	}
	attrs["groups"], attrs["rbac_roles"] = listOf(cty.String, groups), listOf(cty.Object(role), roles)
	return cty.ObjectVal(attrs)
}

func listOf(kind cty.Type, values []cty.Value) cty.Value {
	if len(values) == 0 {
		return cty.ListValEmpty(kind)
	}
	return cty.ListVal(values)
}
