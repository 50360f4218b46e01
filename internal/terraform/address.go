package terraform

import (
	"strings"

	"github.com/berthdev/berth"
)

// isData tells whether address is one of a data source.
func isData(address string) bool {
	rest := berth.ConfigAddress(address)
	for strings.HasPrefix(rest, "module.") {
		_, after, ok := strings.Cut(rest[len("module."):], ".")
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasPrefix(rest, "data.")
}
