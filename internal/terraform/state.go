package terraform

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/berthdev/berth"
)

// stateFile is version 4 of Terraform's state.
type stateFile struct {
	Version   int             `json:"version"`
	Lineage   string          `json:"lineage"`
	Serial    int64           `json:"serial"`
	Resources []stateResource `json:"resources"`
}

type stateResource struct {
	Module    string          `json:"module"`
	Mode      string          `json:"mode"`
	Type      string          `json:"type"`
	Name      string          `json:"name"`
	Provider  string          `json:"provider"`
	Instances []stateInstance `json:"instances"`
}

type stateInstance struct {
	Key          json.RawMessage `json:"index_key"`
	Attributes   json.RawMessage `json:"attributes"`
	Dependencies []string        `json:"dependencies"`
	Deposed      string          `json:"deposed"`
	Sensitive    json.RawMessage `json:"sensitive_attributes"`
}

// object is one managed object in a state.
type object struct {
	address string
	config  string // address without keys
	key     string // its own instance key as written, may be empty
	kind    string // resource type
	name    string
	needs   []string            // config addresses that it depends on, all the way down
	hides   func(item int) bool // which items of a coder_metadata Terraform holds for sensitive
	fields
}

// parseState reads a state file. It refuses what is not one, or is not whole.
func parseState(state []byte) (stateFile, error) {
	var f stateFile
	if err := json.Unmarshal(state, &f); err != nil {
		return stateFile{}, &berth.Error{Code: berth.Invalid, Message: "this is not a Terraform state: it is not whole JSON", Err: err}
	}
	if f.Version != 4 {
		return stateFile{}, berth.Errorf(berth.Invalid, "this is not a Terraform state of version 4 (it says %d); use Terraform 1.%d or later", f.Version, minimum)
	}
	if f.Lineage == "" {
		return stateFile{}, berth.Errorf(berth.Invalid, "this Terraform state has no lineage, so it cannot be told from another one's")
	}
	return f, nil
}

// Header reads the lineage and the serial of a state and checks its form.
func Header(state []byte) (lineage string, serial int64, err error) {
	f, err := parseState(state)
	return f.Lineage, f.Serial, err
}

// ReadState reads what is in a state: addresses, resources and agents. It is
// what Run gives for the state that it ends with. The part of the result that
// could be read is there with an error too.
func ReadState(state []byte) (Result, error) {
	f, err := parseState(state)
	if err != nil {
		return Result{}, err
	}
	r := Result{State: state, Lineage: f.Lineage, Serial: f.Serial}
	objects := f.objects()
	r.Addresses = f.addresses()
	r.Resources = resources(objects)
	r.Agents, err = agents(objects)
	return r, err
}

// empty tells whether a state has nothing that a delete would have to destroy.
func empty(state []byte) bool {
	if len(bytes.TrimSpace(state)) == 0 {
		return true
	}
	f, err := parseState(state)
	_, missing := takeLost(state)
	return err == nil && len(f.addresses()) == 0 && len(missing) == 0
}

func (r stateResource) config() string {
	address := r.Type + "." + r.Name
	if r.Mode == "data" {
		address = "data." + address
	}
	if r.Module != "" {
		address = r.Module + "." + address
	}
	return address
}

// addresses lists the managed objects, deposed ones too.
func (f stateFile) addresses() []string {
	var list []string
	for _, r := range f.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			list = append(list, r.config()+berth.InstanceKey(i.Key))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// objects lists the managed objects that are current, by address.
func (f stateFile) objects() []object {
	var list []object
	for _, r := range f.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			if i.Deposed != "" {
				continue
			}
			o := object{
				address: r.config() + berth.InstanceKey(i.Key), config: berth.ConfigAddress(r.config()), key: berth.InstanceKey(i.Key),
				kind: r.Type, name: r.Name, hides: hiddenItems(i.Sensitive),
			}
			for _, need := range i.Dependencies {
				o.needs = append(o.needs, berth.ConfigAddress(need))
			}
			_ = json.Unmarshal(i.Attributes, &o.fields) // an object without readable attributes still counts
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b object) int { return bytes.Compare([]byte(a.address), []byte(b.address)) })
	return list
}
