package forms

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/parameters"
)

// parameter is one instance of a coder_parameter.
type parameter struct {
	berth.Parameter
	object   cty.Value
	open     []string // attributes that only Terraform can tell
	why      string   // because of what
	problems []string // conditions of the template that do not hold
}

// note says what of a question is as the import found it.
func (p parameter) note() string {
	if len(p.open) == 0 {
		return ""
	}
	return "As the import found it, since it depends on " + p.why + ": " + strings.Join(p.open, ", ") + "."
}

var (
	parameterBody = &hcl.BodySchema{
		Attributes: attributes("name", "type", "form_type", "display_name", "description", "icon", "default", "mutable", "ephemeral", "order", "styling"),
		Blocks:     []hcl.BlockHeaderSchema{{Type: "option"}, {Type: "validation"}, {Type: "lifecycle"}},
	}
	optionBody     = &hcl.BodySchema{Attributes: attributes("name", "value", "description", "icon")}
	validationBody = &hcl.BodySchema{Attributes: attributes("min", "max", "monotonic", "regex", "error")}
	conditionsBody = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "precondition"}, {Type: "postcondition"}}}
	conditionBody  = &hcl.BodySchema{Attributes: attributes("condition", "error_message")}
)

func attributes(names ...string) (list []hcl.AttributeSchema) {
	for _, n := range names {
		list = append(list, hcl.AttributeSchema{Name: n})
	}
	return list
}

// set is the instances of one block, found once.
type set struct {
	at   []instance
	list []parameter
	why  string
}

// parameters are the questions of one block; why is set where it cannot be told
// which there are.
func (s *scope) parameters(b *block) ([]parameter, string) {
	found := s.set(b)
	return found.list, found.why
}

func (s *scope) set(b *block) set {
	key := b.Labels[1]
	if found, ok := s.sets[key]; ok {
		return found
	}
	found := set{why: "itself"}
	s.sets[key] = found
	if b.body == nil {
		found.why = "what is written in JSON"
	} else if found.at, found.why = s.expand(b); found.why == "" {
		for _, at := range found.at {
			p, why := s.parameter(b, at)
			if why != "" {
				found = set{why: why}
				break
			}
			found.list = append(found.list, p)
		}
	}
	s.sets[key] = found
	return found
}

// answered is what references to a parameter see.
func (s *scope) answered(b *block) (cty.Value, string) {
	found := s.set(b)
	if found.why != "" {
		if p, ok := s.e.imported[b.literal]; ok && b.body == nil {
			return s.e.seen(p), ""
		}
		return cty.DynamicVal, found.why
	}
	values, why := []cty.Value{}, ""
	for _, p := range found.list {
		values = append(values, p.object)
		if v := p.object.GetAttr("value"); !v.IsKnown() {
			why = waitsFor + p.Name
		}
	}
	return gather(b, found.at, values), why
}

// seen is a parameter with its answer, as the rest of the template sees it.
func (e *evaluation) seen(p berth.Parameter) cty.Value {
	value, from := parameters.Choose(p, e.in.Answers)
	v := cty.StringVal(value)
	if from == berth.FromNowhere {
		v = cty.UnknownVal(cty.String)
	}
	fallback := cty.StringVal(p.Default)
	if p.Default == "" { // as the plugin's library hands on an empty one
		fallback = cty.NullVal(cty.String)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"id": cty.UnknownVal(cty.String), "name": cty.StringVal(p.Name), "display_name": cty.StringVal(p.DisplayName), "description": cty.StringVal(p.Description),
		"type": cty.StringVal(p.Type), "form_type": cty.StringVal(p.FormType), "icon": cty.StringVal(p.Icon), "default": fallback, "value": v,
		"mutable": cty.BoolVal(p.Mutable), "ephemeral": cty.BoolVal(p.Ephemeral), "optional": cty.BoolVal(!p.Required), "order": cty.NumberIntVal(int64(p.Order)),
	})
}

// reader reads attributes of one parameter, and notes those that are not known.
type reader struct {
	ctx *hcl.EvalContext
	p   *parameter
}

// parameter evaluates one instance of a block.
func (s *scope) parameter(b *block, at instance) (p parameter, why string) {
	ctx, because := s.context(b.names, at, b.bound)
	content, _, _ := dynblock.Expand(b.body, ctx).PartialContent(parameterBody)
	r := &reader{ctx: ctx, p: &p}
	name, known := r.value(content.Attributes["name"])
	if !known || name.IsNull() {
		return p, cmp.Or(because, "an expression in "+placeOf(b.DefRange))
	}
	p.Name = r.text(name, "")
	imported, there := s.e.imported[p.Name]
	kept := func(name, of string) string {
		a, ok := content.Attributes[name]
		if !ok {
			return ""
		}
		v, known := r.value(a)
		if !known {
			r.open(name)
			return of
		}
		return r.text(v, of)
	}
	p.Type = cmp.Or(kept("type", imported.Type), "string")
	p.FormType, p.DisplayName = kept("form_type", imported.FormType), kept("display_name", imported.DisplayName)
	p.Description, p.Icon, p.Styling = kept("description", imported.Description), kept("icon", imported.Icon), kept("styling", imported.Styling)
	p.Mutable = kept("mutable", yes(imported.Mutable)) == "true"
	p.Ephemeral = kept("ephemeral", yes(imported.Ephemeral)) == "true"
	p.Order, _ = strconv.Atoi(kept("order", strconv.Itoa(imported.Order)))
	p.Required = true
	if a, ok := content.Attributes["default"]; ok {
		switch v, known := r.value(a); {
		case !known && there:
			r.open("default")
			p.Required, p.Default = imported.Required, imported.Default
		case !known:
			r.open("default")
		case !v.IsNull():
			p.Required, p.Default = false, r.text(v, "")
		}
	}
	p.Options = r.options(content.Blocks.OfType("option"), imported.Options)
	p.Validation = r.validation(content.Blocks.OfType("validation"), imported.Validation)
	if t, err := parameters.FormType(p.Parameter); err == nil {
		p.FormType = t
	}
	p.why = cmp.Or(because, "what only Terraform knows")
	p.object = s.e.seen(p.Parameter)
	for _, l := range content.Blocks.OfType("lifecycle") {
		p.problems = append(p.problems, r.conditions(l)...)
	}
	return p, ""
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func (r *reader) open(name string) {
	for _, have := range r.p.open {
		if have == name {
			return
		}
	}
	r.p.open = append(r.p.open, name)
}

// value is an attribute's, if it is known and may be shown.
func (r *reader) value(a *hcl.Attribute) (cty.Value, bool) {
	if a == nil {
		return cty.NullVal(cty.String), true
	}
	v, found := a.Expr.Value(r.ctx)
	if found.HasErrors() || v.ContainsMarked() || !v.IsWhollyKnown() {
		return cty.NilVal, false
	}
	return v, true
}

// text is a value as a plugin gets it that wants a text; other where it is none.
func (r *reader) text(v cty.Value, other string) string {
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return other
	}
	if s.IsNull() {
		return ""
	}
	return s.AsString()
}

// wholeNumber is a value that is one, or a text of one.
func wholeNumber(v cty.Value) (int, bool) {
	if v == cty.NilVal || v.ContainsMarked() || !v.IsKnown() || v.IsNull() {
		return 0, false
	}
	n, err := convert.Convert(v, cty.Number)
	if err != nil || n.IsNull() || !n.AsBigFloat().IsInt() {
		return 0, false
	}
	i, exact := n.AsBigFloat().Int64()
	if exact != 0 {
		return 0, false
	}
	return int(i), true
}

func (r *reader) options(blocks hcl.Blocks, imported []berth.ParameterOption) []berth.ParameterOption {
	var list []berth.ParameterOption
	for _, b := range blocks {
		content, _, _ := b.Body.PartialContent(optionBody)
		var o berth.ParameterOption
		for name, to := range map[string]*string{"name": &o.Name, "value": &o.Value, "description": &o.Description, "icon": &o.Icon} {
			v, known := r.value(content.Attributes[name])
			if !known {
				r.open("options")
				return imported
			}
			*to = r.text(v, "")
		}
		list = append(list, o)
	}
	return list
}

func (r *reader) validation(blocks hcl.Blocks, imported *berth.Validation) *berth.Validation {
	if len(blocks) == 0 {
		return nil
	}
	content, _, _ := blocks[0].Body.PartialContent(validationBody)
	v := &berth.Validation{}
	for name, to := range map[string]**int{"min": &v.Min, "max": &v.Max} {
		value, known := r.value(content.Attributes[name])
		if n, ok := wholeNumber(value); known && ok {
			*to = &n
		} else if !known {
			r.open("validation")
			return imported
		}
	}
	for name, to := range map[string]*string{"monotonic": &v.Monotonic, "regex": &v.Regex, "error": &v.Error} {
		value, known := r.value(content.Attributes[name])
		if !known {
			r.open("validation")
			return imported
		}
		*to = r.text(value, "")
	}
	return v
}

// conditions are the sentences of the conditions that do not hold.
func (r *reader) conditions(b *hcl.Block) (said []string) {
	ctx := r.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"self": r.p.object}
	content, _, _ := b.Body.PartialContent(conditionsBody)
	for _, c := range content.Blocks {
		inner, _, _ := c.Body.PartialContent(conditionBody)
		a := inner.Attributes["condition"]
		if a == nil {
			continue
		}
		v, found := a.Expr.Value(ctx)
		v, _ = v.Unmark()
		if found.HasErrors() || !v.IsKnown() || v.IsNull() || v.Type() != cty.Bool || v.True() {
			continue
		}
		sentence := "the template refuses this"
		if m := inner.Attributes["error_message"]; m != nil {
			if v, found := m.Expr.Value(ctx); !found.HasErrors() && !v.ContainsMarked() && v.IsWhollyKnown() {
				sentence = cmp.Or(r.text(v, ""), sentence)
			}
		}
		said = append(said, sentence)
	}
	return said
}
