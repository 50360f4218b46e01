package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Who the workspaces of an import are, so that what is made from them is the
// same in each of its plans.
var (
	somebody = map[string]string{
		"CODER_WORKSPACE_ID":       "00000000-0000-4000-8000-000000000001",
		"CODER_WORKSPACE_OWNER_ID": "00000000-0000-4000-8000-000000000002",
	}
	somebodyElse = map[string]string{
		"CODER_WORKSPACE_NAME":        "another-name",
		"CODER_WORKSPACE_OWNER":       "another-owner",
		"CODER_WORKSPACE_OWNER_ID":    "00000000-0000-4000-8000-000000000003",
		"CODER_WORKSPACE_OWNER_NAME":  "Another Owner",
		"CODER_WORKSPACE_OWNER_EMAIL": "another@example.com",
	}
)

// asAnother plans a start for another name and owner of the workspace, as if what
// the start plans of some blocks were there already. It gives the attributes that
// would make other objects of them, by the address of the block; nil where the
// plugins cannot say.
//
// Nothing is read from where the resources live: they do not.
func (r *run) asAnother(ctx context.Context, start shown, blocks []string) (map[string][]string, error) {
	state, before := start.asState(blocks)
	if state == nil {
		return nil, nil
	}
	if err := r.dir.write(stateName, state, r.As); err != nil {
		return nil, err
	}
	quiet := &run{Options: r.Options, sink: &orderly{sink: nothing{}}, dir: r.dir, gathered: r.gathered, hosted: r.hosted}
	quiet.Env = maps.Clone(r.Env)
	maps.Copy(quiet.Env, somebodyElse)
	quiet.Env["CODER_WORKSPACE_TRANSITION"] = transitions[berth.Start]
	defer quiet.host(ctx)()
	args := []string{"-refresh=false", "-out=" + r.planFile(), "-var-file=" + filepath.Join(r.dir.path, "variables.tfvars.json")}
	for _, b := range blocks {
		args = append(args, "-target="+b) // what is made from them may need what is not known
	}
	_, err := quiet.terraform(ctx, "plan", args...)
	var after shown
	if err == nil {
		after, err = quiet.show(ctx, "plan")
	}
	if ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, nil // a plugin that wants to see what it would have made
	}
	now := map[string]fields{}
	for _, k := range after.managed() {
		now[k.address] = k.fields
	}
	replaced := map[string][]string{}
	for _, c := range after.changes() {
		was, ok := before[c.Address]
		if !ok {
			continue
		}
		for _, path := range c.Forces {
			name, _, _ := strings.Cut(strings.SplitN(path, ".", 2)[0], "[")
			block := berth.ConfigAddress(c.Address)
			// What the start could not know yet is no change of an identity.
			if was[name] != nil && !reflect.DeepEqual(was[name], now[c.Address][name]) && !slices.Contains(replaced[block], path) {
				replaced[block] = append(replaced[block], path)
			}
		}
	}
	return replaced, nil
}

// asState is a state in which the objects of some blocks are there as the plan
// makes them, as far as their attributes are known, and those attributes by
// address; nil if it makes none.
func (p shown) asState(blocks []string) ([]byte, map[string]fields) {
	type instance struct {
		Key        json.RawMessage `json:"index_key,omitempty"`
		Schema     int             `json:"schema_version"`
		Attributes fields          `json:"attributes"`
	}
	type resource struct {
		Module    string     `json:"module,omitempty"`
		Mode      string     `json:"mode"`
		Type      string     `json:"type"`
		Name      string     `json:"name"`
		Provider  string     `json:"provider"`
		Instances []instance `json:"instances"`
	}
	unknown := map[string]map[string]any{}
	for _, c := range p.Changes {
		var later map[string]any
		if json.Unmarshal(c.Change.Unknown, &later) == nil {
			unknown[c.Address] = later
		}
	}
	var list []*resource
	at, before := map[string]*resource{}, map[string]fields{}
	p.Planned.Root.each(func(module string, r shownResource) {
		if r.Mode != "managed" || !slices.Contains(blocks, berth.ConfigAddress(r.Address)) {
			return
		}
		known := fields{}
		for name, value := range r.Values {
			if !holds(unknown[r.Address][name]) {
				known[name] = value
			}
		}
		if known["id"] == nil {
			known["id"] = "known-after-apply"
		}
		before[r.Address] = known
		key := module + "." + r.Type + "." + r.Name
		place, ok := at[key]
		if !ok {
			place = &resource{Module: module, Mode: r.Mode, Type: r.Type, Name: r.Name, Provider: fmt.Sprintf("provider[%q]", r.Provider)}
			at[key] = place
			list = append(list, place)
		}
		place.Instances = append(place.Instances, instance{r.Index, r.Schema, known})
	})
	if list == nil {
		return nil, nil
	}
	text, err := json.Marshal(map[string]any{"version": 4, "serial": 1, "lineage": "00000000-0000-4000-8000-000000000000", "outputs": map[string]any{}, "resources": list})
	if err != nil {
		return nil, nil
	}
	return text, before
}

// holds tells whether something in after_unknown is true.
func holds(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return slices.ContainsFunc(v, holds)
	case map[string]any:
		for _, each := range v {
			if holds(each) {
				return true
			}
		}
	}
	return false
}

// write makes a file of the build's user in the directory, whatever is in its
// place.
func (d *directory) write(name string, content []byte, as *As) error {
	_ = d.root.Remove(name) // usually there is none
	err := d.root.WriteFile(name, content, 0o600)
	if err == nil && as != nil {
		err = d.root.Lchown(name, int(as.UID), int(as.GID))
	}
	if err != nil {
		return errors.Join(errors.New("preparing a plan"), err)
	}
	return nil
}

// nothing is a sink that keeps nothing.
type nothing struct{}

func (nothing) Log(berth.Log) {}

func (nothing) State(string, int64, []byte) {}
