package workspaces

import (
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// term is one part of a query: key:value, or a word without a key.
type term struct{ key, value string }

// terms splits a query at spaces outside of double quotes.
func terms(query string) ([]term, error) {
	if len(query) > 1000 {
		return nil, berth.InvalidField("q", "the query is too long: at most 1,000 characters")
	}
	var found []term
	var word strings.Builder
	quoted := false
	end := func() {
		if word.Len() == 0 {
			return
		}
		key, value, ok := strings.Cut(word.String(), ":")
		if !ok {
			key, value = "", key
		}
		found = append(found, term{strings.ToLower(key), value})
		word.Reset()
	}
	for _, c := range query {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			end()
		default:
			word.WriteRune(c)
		}
	}
	if quoted {
		return nil, berth.InvalidField("q", "a quote is not closed")
	}
	end()
	return found, nil
}

// filter is what a key of a query does with its value.
type filter func(value string) error

// apply reads a query. Words without a key go to the key name.
func apply(query string, keys map[string]filter) error {
	found, err := terms(query)
	if err != nil {
		return err
	}
	for _, t := range found {
		if t.key == "" {
			t.key = "name"
		}
		f, ok := keys[t.key]
		if !ok {
			return berth.InvalidField("q", "there is no filter %q; there are: %s", t.key, strings.Join(names(keys), ", "))
		}
		if t.value == "" {
			return berth.InvalidField("q", "the filter %s: needs a value behind the colon", t.key)
		}
		if err := f(t.value); err != nil {
			return err
		}
	}
	return nil
}

func names(keys map[string]filter) []string {
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// set is a filter that takes any text.
func set(to *string) filter {
	return func(value string) error { *to = value; return nil }
}

// oneOf is a filter that takes some words, several of them with commas.
func oneOf[S ~string](to *[]S, key string, words ...S) filter {
	return func(value string) error {
		for v := range strings.SplitSeq(strings.ToLower(value), ",") {
			if !slices.Contains(words, S(v)) {
				known := make([]string, len(words))
				for i, w := range words {
					known[i] = string(w)
				}
				return berth.InvalidField("q", "%q is no %s; there are: %s", v, key, strings.Join(known, ", "))
			}
			*to = append(*to, S(v))
		}
		return nil
	}
}

// yesNo is a filter that takes true or false.
func yesNo(to **bool, key string) filter {
	return func(value string) error {
		yes := value == "true" || value == "yes"
		if !yes && value != "false" && value != "no" {
			return berth.InvalidField("q", "%s: is true or false, not %q", key, value)
		}
		*to = &yes
		return nil
	}
}
