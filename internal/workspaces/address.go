package workspaces

import (
	"encoding/json"
	"strings"

	"github.com/berthdev/berth"
)

// typeOf is the resource type in an address, "" for one that has none.
func typeOf(address string) string {
	parts := strings.Split(berth.ConfigAddress(address), ".")
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
			addresses = append(addresses, address+berth.InstanceKey(i.IndexKey))
		}
	}
	return addresses
}
