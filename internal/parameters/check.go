package parameters

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/berthdev/berth"
)

// Check tells whether a parameter may have a value: a member of its options,
// then by its validation block, then of its type. previous is the value in the
// build before, nil if there was none; only monotonic validation reads it.
func Check(q berth.Parameter, value string, previous *string) error {
	if err := checkOptions(q, value); err != nil {
		return err
	}
	if q.Validation != nil {
		if err := checkValidation(q, *q.Validation, value, previous); err != nil {
			return err
		}
	}
	return checkType(q, value)
}

func checkOptions(q berth.Parameter, value string) error {
	if len(q.Options) == 0 {
		return nil
	}
	options := optionValues(q)
	chosen := []string{value}
	// Of a multi-select the options are the elements, else the whole list is one.
	if q.Type == "list(string)" && q.FormType == "multi-select" {
		var err error
		if chosen, err = list(value); err != nil {
			return refuse(q, "%q is not a list: write it as JSON, like [\"a\",\"b\"]", value)
		}
	}
	for _, c := range chosen {
		if !slices.Contains(options, c) {
			return refuse(q, "%q is not one of the options: %s", c, strings.Join(options, ", "))
		}
	}
	return nil
}

// checkValidation reads numbers as whole ones, although the type number also
// has fractions: the provider does, so "1.5" passes only without a validation
// block.
func checkValidation(q berth.Parameter, v berth.Validation, value string, previous *string) error {
	if q.Type != "number" && (v.Min != nil || v.Max != nil || v.Monotonic != "") {
		return refuse(q, "the template limits it like a number, but it is a %s; its author must change one of the two", kind(q))
	}
	if kind(q) != "string" && v.Regex != "" {
		return refuse(q, "the template matches it like a text, but it is a %s; its author must change one of the two", kind(q))
	}
	switch kind(q) {
	case "number":
		return checkNumber(q, v, value, previous)
	case "bool":
		if value != "true" && value != "false" {
			return refuse(q, "%q is neither true nor false", value)
		}
	case "string":
		return checkText(q, v, value)
	case "list(string)":
		if _, err := list(value); err != nil {
			return refuse(q, "%q is not a list: write it as JSON, like [\"a\",\"b\"]", value)
		}
	}
	return nil
}

func checkNumber(q berth.Parameter, v berth.Validation, value string, previous *string) error {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		return custom(q, v, value, "%q is not a whole number, and the template's validation wants one", value)
	case v.Min != nil && n < *v.Min:
		return custom(q, v, value, "%d is less than the minimum, %d", n, *v.Min)
	case v.Max != nil && n > *v.Max:
		return custom(q, v, value, "%d is more than the maximum, %d", n, *v.Max)
	}
	if previous == nil {
		return nil
	}
	before, err := strconv.Atoi(*previous)
	if err != nil {
		return nil // a wrong old value must not lock the workspace for ever
	}
	switch {
	case v.Monotonic == "increasing" && n < before:
		return refuse(q, "it may only grow: it was %d in the build before, so give %d or more", before, before)
	case v.Monotonic == "decreasing" && n > before:
		return refuse(q, "it may only shrink: it was %d in the build before, so give %d or less", before, before)
	}
	return nil
}

func checkText(q berth.Parameter, v berth.Validation, value string) error {
	if v.Regex == "" {
		return nil
	}
	form, _, err := Pattern(v.Regex)
	if errors.Is(err, ErrPattern) {
		return refuse(q, "the template's regular expression is too large; its author must make it shorter")
	}
	if err != nil {
		return refuse(q, "the template's regular expression %q is not valid; its author must correct it", v.Regex)
	}
	if !form.MatchString(value) {
		return custom(q, v, value, "%q does not match %s", value, v.Regex)
	}
	return nil
}

func checkType(q berth.Parameter, value string) error {
	var err error
	switch kind(q) {
	case "number":
		if _, err = strconv.ParseFloat(value, 64); err != nil {
			return refuse(q, "%q is not a number", value)
		}
	case "bool":
		if _, err = strconv.ParseBool(value); err != nil {
			return refuse(q, "%q is neither true nor false", value)
		}
	case "list(string)":
		if _, err = list(value); err != nil {
			return refuse(q, "%q is not a list: write it as JSON, like [\"a\",\"b\"]", value)
		}
	}
	return nil
}

// custom refuses with the author's own sentence where there is one.
func custom(q berth.Parameter, v berth.Validation, value, format string, args ...any) error {
	if v.Error == "" {
		return refuse(q, format, args...)
	}
	fill := []string{"{value}", value}
	if v.Min != nil {
		fill = append(fill, "{min}", strconv.Itoa(*v.Min))
	}
	if v.Max != nil {
		fill = append(fill, "{max}", strconv.Itoa(*v.Max))
	}
	said := strings.NewReplacer(fill...).Replace(v.Error)
	reason := berth.Errorf(berth.Invalid, format, args...).Message
	return refuse(q, "%s (%s)", said, reason)
}

func refuse(q berth.Parameter, format string, args ...any) error {
	return berth.InvalidField("parameters."+q.Name, format, args...)
}

func kind(q berth.Parameter) string {
	if q.Type == "" {
		return "string"
	}
	return q.Type
}

func optionValues(q berth.Parameter) []string {
	values := make([]string, len(q.Options))
	for i, o := range q.Options {
		values[i] = o.Value
	}
	return values
}

func list(value string) ([]string, error) {
	var items []string
	err := json.Unmarshal([]byte(value), &items)
	return items, err
}
