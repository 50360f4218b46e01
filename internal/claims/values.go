package claims

import (
	"maps"
	"slices"
	"strings"
)

// lookup is the claim of a name, or behind a path with dots. A name that has
// dots itself comes first: some are URLs.
func lookup(claims map[string]any, name string) (any, bool) {
	if v, ok := claims[name]; ok {
		return v, true
	}
	for at, rest, more := cut(name); more; at, rest, more = cutNext(at, rest) {
		if inner, ok := claims[at].(map[string]any); ok {
			if v, ok := lookup(inner, rest); ok {
				return v, true
			}
		}
	}
	return nil, false
}

func cut(name string) (at, rest string, ok bool) { return strings.Cut(name, ".") }

// cutNext moves the cut to the next dot.
func cutNext(at, rest string) (string, string, bool) {
	more, rest, ok := strings.Cut(rest, ".")
	return at + "." + more, rest, ok
}

func text(claims map[string]any, name string) string {
	v, _ := lookup(claims, name)
	s, _ := v.(string)
	return s
}

// values are the texts of a claim: of a list, of one text, or the keys of an
// object. known is false when the provider says that it has left them out. A
// claim that is not there has no values: that is how many say "none".
func values(claims map[string]any, name string) (list []string, known bool, err error) {
	v, said := lookup(claims, name)
	if !said {
		// OpenID Connect 5.6.2: the value is to be had elsewhere.
		elsewhere, _ := claims["_claim_names"].(map[string]any)
		_, left := elsewhere[name]
		return nil, !left, nil
	}
	switch v := v.(type) {
	case nil:
	case string:
		if v != "" {
			list = []string{v}
		}
	case []any:
		if len(v) > maxValues {
			return nil, false, tooMany(name)
		}
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false, refused("the claim %s of the identity provider holds something else than texts: ask an administrator whether it is the right one", name)
			}
			list = append(list, s)
		}
	case map[string]any:
		if len(v) > maxValues {
			return nil, false, tooMany(name)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if has := v[key]; has != nil && has != false {
				list = append(list, key)
			}
		}
	default:
		return nil, false, refused("the claim %s of the identity provider is no list of texts: ask an administrator whether it is the right one", name)
	}
	for _, s := range list {
		if len(s) > maxValue {
			return nil, false, refused("the claim %s of the identity provider has a value that is too long: ask an administrator", name)
		}
	}
	return list, true, nil
}

func tooMany(name string) error {
	return refused("the claim %s of the identity provider has more than %d values: an administrator has to narrow it down there", name, maxValues)
}
