package workspaces

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ConfigAddress is the address of the block that a resource instance comes
// from: its address without instance keys.
//
//	module.m["a.b"].docker_volume.home[0] → module.m.docker_volume.home
func ConfigAddress(address string) string {
	var out strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(address); i++ {
		c := address[i]
		switch {
		case quoted && c == '\\':
			i++ // the next one is part of the key
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// typeOf is the resource type in an address, "" for one that has none.
func typeOf(address string) string {
	parts := strings.Split(ConfigAddress(address), ".")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// ours tells whether a resource says something about the workspace only to the
// server (coder_agent, coder_app, …): nothing is lost with it.
func ours(address string) bool { return strings.HasPrefix(typeOf(address), "coder_") }

// stateAddresses is the managed resource instances in a Terraform state, sorted
// as they stand there. Unreadable parts are left out.
func stateAddresses(state []byte) []string {
	var s struct {
		Resources []struct {
			Mode, Module, Type, Name string
			Instances                []struct {
				IndexKey json.RawMessage `json:"index_key"`
			}
		}
	}
	if json.Unmarshal(state, &s) != nil {
		return nil
	}
	var addresses []string
	for _, r := range s.Resources {
		if r.Mode != "managed" {
			continue
		}
		address := r.Type + "." + r.Name
		if r.Module != "" {
			address = r.Module + "." + address
		}
		for _, i := range r.Instances {
			addresses = append(addresses, address+index(i.IndexKey))
		}
	}
	return addresses
}

// index is an instance key as it stands in an address.
func index(key json.RawMessage) string {
	var text string
	switch {
	case len(key) == 0 || string(key) == "null":
		return ""
	case json.Unmarshal(key, &text) == nil:
		return "[" + strconv.Quote(text) + "]"
	default:
		return "[" + string(key) + "]"
	}
}
