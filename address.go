package berth

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ConfigAddress is the address of the block that made the object at a Terraform
// address: the same without instance keys.
//
//	module.m["a.b"].docker_volume.home[0] → module.m.docker_volume.home
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

// InstanceKey is how Terraform writes the key of an instance, given as JSON, in
// an address: [0], ["a"], or nothing where there is none.
func InstanceKey(key json.RawMessage) string {
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
	return "[" + QuoteHCL(s) + "]"
}

// QuoteHCL writes a string as HCL does: Go's escapes, and template sequences made
// harmless.
func QuoteHCL(s string) string {
	q := strconv.Quote(s)
	q = strings.ReplaceAll(q, "${", "$${")
	return strings.ReplaceAll(q, "%{", "%%{")
}
