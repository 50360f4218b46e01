package parameters

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// formTypes are the fields in which a parameter can be asked, by its type and
// whether it has options. The first is what a template gets that asks for none.
var formTypes = map[string][2][]string{
	"string":       {{"input", "textarea"}, {"radio", "dropdown"}},
	"number":       {{"input", "slider"}, {"radio", "dropdown"}},
	"bool":         {{"checkbox", "switch"}, {"radio", "dropdown"}},
	"list(string)": {{"tag-select"}, {"radio", "multi-select"}},
}

// FormType is the field in which q is asked.
func FormType(q berth.Parameter) (string, error) {
	both, ok := formTypes[kind(q)]
	if !ok {
		return "", refuse(q, "%q is not a type of a parameter; the template's author must use string, number, bool or list(string)", q.Type)
	}
	allowed, with := both[0], "without options"
	if len(q.Options) > 0 {
		allowed, with = both[1], "with options"
	}
	switch {
	case q.FormType == "":
		return allowed[0], nil
	case slices.Contains(allowed, q.FormType):
		return q.FormType, nil
	}
	return "", refuse(q, "a %s %s cannot be asked as %s; the template's author must use one of: %s", kind(q), with, q.FormType, strings.Join(allowed, ", "))
}

// Sound tells whether the author of a template asks what can be asked: the rules
// that hold whatever is answered.
func Sound(q berth.Parameter) error {
	if _, err := FormType(q); err != nil {
		return err
	}
	if q.Ephemeral && (!q.Mutable || q.Required) {
		return refuse(q, "it is asked for one start only, so the template's author must make it mutable and give it a default")
	}
	names, values := map[string]bool{}, map[string]bool{}
	for _, o := range q.Options {
		if names[o.Name] && o.Name != "" || values[o.Value] {
			return refuse(q, "two options have the name or the value of %q; the template's author must make them differ", o.Name)
		}
		names[o.Name], values[o.Value] = true, true
		each := berth.Parameter{Name: q.Name, Type: q.Type}
		if q.FormType == "multi-select" {
			each.Type = "string"
		}
		if err := checkType(each, o.Value); err != nil {
			return refuse(q, "its option %q has the value %q, which is no %s; the template's author must change that", o.Name, o.Value, kind(each))
		}
	}
	return nil
}
