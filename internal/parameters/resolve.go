package parameters

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Answers are the sources of values for one build, highest first.
type Answers struct {
	Preset   map[string]string // of the chosen preset; names that nobody asks are ignored
	Request  map[string]string // what the person says now; an unknown name is an error
	Previous map[string]string // of the build before; nil when the workspace is new
}

// Asked is what a version asks of one person with one set of answers.
type Asked struct {
	Questions []berth.Parameter
	Possible  map[string]bool // names that are asked with other answers, or of others
	Once      map[string]bool // those of them whose answer holds for one build only
	Open      bool            // there may be possible names that are not known
}

// All is a version that asks the same of everybody.
func All(questions []berth.Parameter) Asked { return Asked{Questions: questions} }

// Resolve gives every question its value and checks it: the complete answers of
// a new build. Answers of the build before to what is not asked now are kept, so
// that they are there again when it is; new ones are left out. Errors are Invalid
// with the field `parameters.NAME` and say what would be right; a wrong answer
// comes before a missing one, which may be asked because of it.
func Resolve(a Asked, in Answers) (map[string]string, error) {
	if err := refuseUnknown(a, in.Request); err != nil {
		return nil, err
	}
	values := a.hidden(in.Previous)
	var missing error
	for _, q := range a.Questions {
		value, from := Choose(q, in)
		if err := Judge(q, value, from, in); err != nil {
			if from != berth.FromNowhere {
				return nil, err
			}
			missing = cmp.Or(missing, err)
		}
		values[q.Name] = value
	}
	if missing != nil {
		return nil, missing
	}
	return values, nil
}

// Carry is what a stop or delete uses: the answers of the previous build, and
// the default of what is new or was asked for one build only. It checks
// nothing, since a workspace must stop also when its answers are no longer
// right.
func Carry(a Asked, previous map[string]string) map[string]string {
	values := a.hidden(previous)
	for _, q := range a.Questions {
		if v, ok := previous[q.Name]; ok && !q.Ephemeral {
			values[q.Name] = v
		} else if !q.Required {
			values[q.Name] = q.Default
		}
	}
	return values
}

// hidden are the previous answers to what is not asked now.
func (a Asked) hidden(previous map[string]string) map[string]string {
	values := make(map[string]string, len(a.Questions))
	for name, value := range previous {
		if (a.Possible[name] || a.Open) && !a.Once[name] {
			values[name] = value
		}
	}
	for _, q := range a.Questions {
		delete(values, q.Name)
	}
	return values
}

// Choose picks the answer of q, and says where it comes from: FromNowhere if
// there is none.
func Choose(q berth.Parameter, in Answers) (string, berth.AnswerSource) {
	if value, ok := in.Preset[q.Name]; ok {
		return value, berth.FromPreset
	}
	if value, ok := in.Request[q.Name]; ok {
		return value, berth.FromAnswer
	}
	if value, ok := in.Previous[q.Name]; ok && !q.Ephemeral {
		return value, berth.FromPrevious
	}
	if q.Required {
		return "", berth.FromNowhere
	}
	return q.Default, berth.FromDefault
}

// Judge tells whether what Choose picked may be the answer: it holds the rule of
// immutable parameters, which are set when the workspace is made or when they
// are new, and checks the value.
func Judge(q berth.Parameter, value string, from berth.AnswerSource, in Answers) error {
	previous, before := in.Previous[q.Name]
	switch {
	case from == berth.FromNowhere:
		return refuse(q, "a value is needed: give --parameter %s=VALUE%s", q.Name, hint(q))
	case before && !q.Mutable && value != previous && from != berth.FromDefault:
		return refuse(q, "it was set to %q when the workspace was created and cannot be changed: leave it out, or create a new workspace", previous)
	case before:
		return Check(q, value, &previous)
	}
	return Check(q, value, nil)
}

func refuseUnknown(a Asked, request map[string]string) error {
	known := maps.Clone(a.Possible)
	if known == nil {
		known = map[string]bool{}
	}
	for _, q := range a.Questions {
		known[q.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(request)) {
		if known[name] {
			continue
		}
		field := "parameters." + name
		if len(known) == 0 {
			return berth.InvalidField(field, "this version of the template asks for no parameters; leave it out")
		}
		return berth.InvalidField(field, "this version of the template has no such parameter; it has: %s",
			strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return nil
}

// hint names the possible values where there are few.
func hint(q berth.Parameter) string {
	if len(q.Options) > 0 {
		return " (one of: " + strings.Join(optionValues(q), ", ") + ")"
	}
	if q.Type != "" && q.Type != "string" {
		return " (a " + q.Type + ")"
	}
	return ""
}
