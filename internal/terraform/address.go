package terraform

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ConfigAddress is the address of the block that made the object at address:
// the same without instance keys. module.a["x.y"].t.n[0] becomes module.a.t.n.
func ConfigAddress(address string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(address); i++ {
		c := address[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isData tells whether address is one of a data source.
func isData(address string) bool {
	rest := ConfigAddress(address)
	for strings.HasPrefix(rest, "module.") {
		_, after, ok := strings.Cut(rest[len("module."):], ".")
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasPrefix(rest, "data.")
}

// instanceKey is how terraform writes the key of an instance: [0] or ["a"].
func instanceKey(key json.RawMessage) string {
	if len(key) == 0 || string(key) == "null" {
		return ""
	}
	var n json.Number
	if json.Unmarshal(key, &n) == nil && key[0] != '"' {
		return "[" + n.String() + "]"
	}
	var s string
	if json.Unmarshal(key, &s) != nil {
		return "[" + string(key) + "]"
	}
	return "[" + quote(s) + "]"
}

// quote writes a string as HCL does: Go's escapes, and template sequences made
// harmless.
func quote(s string) string {
	q := strconv.Quote(s)
	q = strings.ReplaceAll(q, "${", "$${")
	return strings.ReplaceAll(q, "%{", "%%{")
}
