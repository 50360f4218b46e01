package providers

import (
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/tags"
)

// Choose is Resolve for a workspace whose template asks for tags: of the
// providers that the organization may use, the first with all of them, or the one
// that is named if it has them.
func Choose(q *store.Query, actor authz.Actor, o berth.OrganizationID, ref string, asked map[string]string) (berth.Provider, error) {
	p, err := Resolve(q, actor, o, ref)
	if err != nil || tags.Match(asked, p.Tags) {
		return p, err
	}
	if ref != "" {
		return p, berth.InvalidField("provider", "the template asks for a workspace provider with the tags %s, and %s has %s: leave the provider out for one that fits, or name another", tags.Say(asked), p.Name, orNone(p.Tags))
	}
	all, err := q.ProvidersOf(o)
	if err != nil {
		return p, err
	}
	var there []string
	for _, p := range all {
		if tags.Match(asked, p.Tags) {
			return p, authz.Check(actor, authz.Use, authz.In(authz.KindProvider, o), "the workspace provider "+p.Name)
		}
		there = append(there, fmt.Sprintf("%s has %s", p.Name, orNone(p.Tags)))
	}
	return berth.Provider{}, berth.InvalidField("provider", "the template asks for a workspace provider with the tags %s, and the organization has none: %s. Whoever runs a provider sets its tags, for the built-in one with --provider-tags", tags.Say(asked), strings.Join(there, "; "))
}

func orNone(has map[string]string) string {
	if len(has) == 0 {
		return "none"
	}
	return tags.Say(has)
}

// ParseTags reads tags as settings have them: name=value, with commas.
func ParseTags(text string) (map[string]string, error) {
	found := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, berth.Errorf(berth.Invalid, "%q is no tag: write name=value, with commas between them", part)
		}
		found[name] = strings.TrimSpace(value)
	}
	return found, nil
}
