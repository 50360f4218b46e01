package agent

import (
	"cmp"
	"slices"
	"strings"

	"github.com/berthdev/berth/api"
)

// shortestHidden is how long a value must be to be left out of the log; a
// shorter one would be found in too many innocent words.
const shortestHidden = 8

// hidden replaces what must not be read in the log: the tokens, the key, and
// the values of secrets, those of several lines also line by line. It finds
// them as they are, not encoded.
func hidden(agentToken string, id *api.Identity) *strings.Replacer {
	values := []string{agentToken, id.Token}
	texts := []string{id.SSHKey}
	for _, s := range id.Secrets {
		texts = append(texts, s.Value)
	}
	for _, text := range texts {
		values = append(values, strings.TrimSpace(text))
		for line := range strings.Lines(text) {
			values = append(values, strings.TrimSpace(line))
		}
	}
	values = slices.DeleteFunc(values, func(v string) bool { return len(v) < shortestHidden })
	slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // of two that begin alike the longer wins
	pairs := make([]string, 0, 2*len(values))
	for _, v := range slices.Compact(values) {
		pairs = append(pairs, v, "[hidden]")
	}
	return strings.NewReplacer(pairs...)
}
