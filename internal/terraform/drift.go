package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Look compares what is there with o.State, and changes neither. It gives the
// objects that differ; what the coder plugin has is not made of anything and left
// out. Errors that come from the template or the end of ctx are *RunError.
func Look(ctx context.Context, o Options, sink Sink) ([]berth.Drift, error) {
	r := &run{Options: o, sink: &orderly{sink: sink}}
	if empty(o.State) {
		r.say("info", "The workspace has no resources.")
		return nil, nil
	}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	defer r.dir.close()
	defer r.gather(ctx)()
	defer r.host(ctx)()
	if _, err := r.terraform(ctx, "plan", append(r.planArgs(), "-refresh-only")...); err != nil {
		return nil, err
	}
	p, err := r.show(ctx, "plan")
	if err != nil {
		return nil, err
	}
	return p.drift(), nil
}

// drifted is an object whose refresh gave something else than the state.
type drifted struct {
	Address string `json:"address"`
	Mode    string `json:"mode"`
	Type    string `json:"type"`
	Change  struct {
		Actions []string                   `json:"actions"`
		Before  map[string]json.RawMessage `json:"before"`
		After   map[string]json.RawMessage `json:"after"`
	} `json:"change"`
}

func (p shown) drift() []berth.Drift {
	var list []berth.Drift
	for _, d := range p.Drifted {
		if d.Mode == "data" || strings.HasPrefix(d.Type, "coder_") {
			continue
		}
		found := berth.Drift{Address: d.Address, Type: d.Type, Gone: slices.Contains(d.Change.Actions, "delete")}
		if !found.Gone {
			found.Attributes = differing(d.Change.Before, d.Change.After)
		}
		if found.Gone || len(found.Attributes) > 0 {
			list = append(list, found)
		}
	}
	slices.SortFunc(list, func(a, b berth.Drift) int { return strings.Compare(a.Address, b.Address) })
	return list
}

// differing names the attributes whose values are not the same. Nothing and a
// value of its kind that is empty are: plugins read back {} for a map that was
// never given, at the first refresh after each create.
func differing(before, after map[string]json.RawMessage) []string {
	names := maps.Clone(before)
	if names == nil {
		names = map[string]json.RawMessage{}
	}
	maps.Copy(names, after)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
		return bytes.Equal(before[name], after[name]) || reflect.DeepEqual(told(before[name]), told(after[name]))
	})
}

// told is a value without what says nothing; nil when that is all of it.
func told(text json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return withoutEmpty(v)
}

func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member = withoutEmpty(member); member == nil {
				delete(v, name)
			} else {
				v[name] = member
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	case string:
		if v == "" {
			return nil
		}
	case json.Number:
		if v == "0" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}
