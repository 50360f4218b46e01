package berth

import (
	"slices"
	"strings"
)

// term is one part of a query: key:value, or a word without a key.
type term struct{ key, value string }

// terms splits a query at spaces outside of double quotes.
func terms(query string) ([]term, error) {
	if len(query) > 1000 {
		return nil, InvalidField("q", "the query is too long: at most 1,000 characters")
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
		return nil, InvalidField("q", "a quote is not closed")
	}
	end()
	return found, nil
}

// Filter is what a key of a list's query does with its value.
type Filter func(value string) error

// Filters are the keys that a list's query may have.
type Filters map[string]Filter

// Read reads a query, such as "owner:me status:running". Words without a key go
// to the key name.
func (keys Filters) Read(query string) error {
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
			return InvalidField("q", "there is no filter %q; there are: %s", t.key, strings.Join(keys.names(), ", "))
		}
		if t.value == "" {
			return InvalidField("q", "the filter %s: needs a value behind the colon", t.key)
		}
		if err := f(t.value); err != nil {
			return err
		}
	}
	return nil
}

func (keys Filters) names() []string {
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// FilterText is a filter that takes any text.
func FilterText(to *string) Filter {
	return func(value string) error { *to = value; return nil }
}

// FilterWords is a filter that takes some words, several of them with commas.
func FilterWords[S ~string](to *[]S, key string, words ...S) Filter {
	return func(value string) error {
		for v := range strings.SplitSeq(strings.ToLower(value), ",") {
			if !slices.Contains(words, S(v)) {
				known := make([]string, len(words))
				for i, w := range words {
					known[i] = string(w)
				}
				return InvalidField("q", "%q is no %s; there are: %s", v, key, strings.Join(known, ", "))
			}
			*to = append(*to, S(v))
		}
		return nil
	}
}

// FilterBool is a filter that takes true or false.
func FilterBool(to **bool, key string) Filter {
	return func(value string) error {
		yes := value == "true" || value == "yes"
		if !yes && value != "false" && value != "no" {
			return InvalidField("q", "%s: is true or false, not %q", key, value)
		}
		*to = &yes
		return nil
	}
}
