package terraform

import (
	"strconv"
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

// objectAddress is the address of a managed object in its parts.
type objectAddress struct {
	module, kind, name string
	key                string // as JSON; empty if it has none
}

// parseAddress reads module.m["a.b"].docker_volume.home[0].
func parseAddress(address string) (o objectAddress, ok bool) {
	start, depth, quoted := 0, 0, false
	var parts []int // where each part after the first begins
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '.' && depth == 0:
			parts = append(parts, i+1)
		}
	}
	if depth != 0 || quoted || len(parts) == 0 {
		return o, false
	}
	if len(parts) > 1 {
		start = parts[len(parts)-2]
		o.module = address[:start-1]
	}
	o.kind, o.name = address[start:parts[len(parts)-1]-1], address[parts[len(parts)-1]:]
	if name, key, found := strings.Cut(o.name, "["); found {
		o.name, o.key = name, strings.TrimSuffix(key, "]")
		if text, err := strconv.Unquote(o.key); err == nil && o.key[0] == '"' {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "$${", "${"), "%%{", "%{")
			o.key = string(asJSON(text))
		}
	}
	return o, o.kind != "" && o.name != "" && !isData(address) && (o.module == "" || strings.HasPrefix(o.module, "module."))
}
