package terraform

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
)

// lost is a change of which nobody knows whether it was made.
type lost struct {
	Type      string                     `json:"type"`
	Source    string                     `json:"source"`
	Addresses []string                   `json:"addresses"`
	Known     map[string]json.RawMessage `json:"known,omitempty"` // attributes, as planned
	Why       string                     `json:"why,omitempty"`
	At        time.Time                  `json:"at,omitzero"` // when it was begun
}

// made is what the journal knows of one object at the end.
type made struct {
	begun, ended journal.Record
	shape        journal.Shape
	prior, value cty.Value
	id           string
	reborn       bool // one of the same id was there before, and went
}

// gone tells whether the object does not exist any more.
func (m made) gone() bool { return m.value.IsNull() }

// replay puts what a journal knows into the newest state that there is. The
// state stays as it is, byte for byte, where it knows everything already.
func replay(state []byte, records []journal.Record) (now []byte, missing []lost, err error) {
	ends, shapes := map[int64]journal.Record{}, map[string]journal.Shape{}
	for _, r := range records {
		switch r.Event {
		case journal.Ended:
			ends[r.Seq] = r
		case journal.Schema:
			if s, err := journal.ReadShape(r.Shape); err == nil {
				shapes[r.Type] = s
			}
		}
	}
	var list []made // in the order of the changes; the last one of an object counts
	for _, b := range records {
		if b.Event != journal.Begun {
			continue
		}
		m, gap := outcome(b, ends, shapes)
		if gap != nil {
			missing = append(missing, *gap)
		}
		if m == nil {
			continue
		}
		list = slices.DeleteFunc(list, func(o made) bool {
			before := m.id != "" && o.begun.Type == m.begun.Type && o.id == m.id
			m.reborn = m.reborn || before && o.gone()
			return before
		})
		list = append(list, *m)
	}
	edit, err := openState(state, records[0].Engine)
	if err != nil {
		return state, missing, err
	}
	for _, m := range list {
		if m.gone() {
			edit.remove(m)
		}
	}
	for _, m := range list {
		if m.gone() {
			continue
		}
		if gap := edit.put(m); gap != nil {
			missing = append(missing, *gap)
		}
	}
	now, err = edit.done(missing)
	return now, missing, err
}

// outcome is what came of one change: an object as it is now, or a gap. Neither,
// if nothing of it concerns the state.
func outcome(b journal.Record, ends map[int64]journal.Record, shapes map[string]journal.Shape) (*made, *lost) {
	gap := &lost{Type: b.Type, Source: b.Source, Addresses: b.Addresses, At: b.At}
	shape, known := shapes[b.Type]
	var prior cty.Value
	if known {
		if planned, err := shape.Value(b.Planned); err == nil {
			gap.Known = knownAttributes(planned)
		}
		var err error
		if prior, err = shape.Value(b.Prior); err != nil {
			known = false
		}
	}
	doubtful := func(why string) (*made, *lost) {
		if b.Action != "create" {
			return nil, nil // it is in the state, and the next build looks at it
		}
		gap.Why = why
		return nil, gap
	}
	e, ended := ends[b.Seq]
	switch {
	case !ended || e.Lost != "":
		return doubtful("nobody knows whether it was made")
	case !known:
		return doubtful(unreadable)
	}
	value, err := shape.Value(e.State)
	if err != nil {
		return doubtful(unreadable)
	}
	m := &made{begun: b, ended: e, shape: shape, prior: prior, value: value}
	if m.id = idOf(value); m.gone() {
		m.id = idOf(prior)
	}
	switch {
	case !m.gone() || e.Failed == "" && b.Action != "create":
		return m, nil
	case b.Action == "create" && doubt(e.Failed) == "":
		return nil, nil // nothing was made
	}
	// Nothing is left, plugins say also of what they failed to delete, and
	// terraform does not believe it either.
	return doubtful(doubt(e.Failed))
}

const unreadable = "it was made, but what its plugin said of it cannot be read"

// knownAttributes are those of a planned object that are known before it is made.
func knownAttributes(v cty.Value) map[string]json.RawMessage {
	if v.IsNull() || !v.IsKnown() || !v.Type().IsObjectType() {
		return nil
	}
	known := map[string]json.RawMessage{}
	for name, a := range v.AsValueMap() {
		if a.IsNull() || !a.IsWhollyKnown() {
			continue
		}
		if text, err := ctyjson.Marshal(a, a.Type()); err == nil {
			known[name] = text
		}
	}
	return known
}

// raw objects keep what is not understood of a state as it is.
type rawObject = map[string]json.RawMessage

// stateEdit is a state that is being changed.
type stateEdit struct {
	text      []byte
	top       rawObject
	resources []rawObject
	instances [][]rawObject // of each resource
	changed   bool
}

func openState(state []byte, engine string) (*stateEdit, error) {
	e := &stateEdit{text: state}
	if len(bytes.TrimSpace(state)) == 0 {
		lineage := make([]byte, 16)
		_, _ = rand.Read(lineage)
		h := hex.EncodeToString(lineage)
		e.top = rawObject{
			"version": json.RawMessage("4"), "serial": json.RawMessage("0"), "outputs": json.RawMessage("{}"), "check_results": json.RawMessage("null"),
			"terraform_version": asJSON(engine), "lineage": asJSON(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]),
		}
		return e, nil
	}
	if _, err := parseState(state); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(state, &e.top); err != nil {
		return nil, err
	}
	if text, ok := e.top["resources"]; ok {
		if err := json.Unmarshal(text, &e.resources); err != nil {
			return nil, err
		}
	}
	for _, r := range e.resources {
		var list []rawObject
		if text, ok := r["instances"]; ok {
			if err := json.Unmarshal(text, &list); err != nil {
				return nil, err
			}
		}
		e.instances = append(e.instances, list)
	}
	return e, nil
}

func asJSON(text string) json.RawMessage {
	b, _ := json.Marshal(text)
	return b
}

func textOf(o rawObject, name string) (text string) {
	_ = json.Unmarshal(o[name], &text)
	return text
}

// find looks for an object: where it is among the resources, and among the
// instances of that. It is not found if there are two.
func (e *stateEdit) find(kind, id string, same cty.Value) (r, i int, ok bool) {
	for x, resource := range e.resources {
		if textOf(resource, "mode") != "managed" || textOf(resource, "type") != kind {
			continue
		}
		for y, instance := range e.instances[x] {
			var has map[string]any
			_ = json.Unmarshal(instance["attributes"], &has)
			if id != "" && has["id"] == id || id == "" && equalJSON(instance["attributes"], same) {
				if ok {
					return 0, 0, false
				}
				r, i, ok = x, y, true
			}
		}
	}
	return r, i, ok
}

// equalJSON tells whether attributes in a state are those of v.
func equalJSON(attributes json.RawMessage, v cty.Value) bool {
	if v == cty.NilVal || v.IsNull() || !v.IsWhollyKnown() {
		return false
	}
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return false
	}
	var a, b any
	return json.Unmarshal(attributes, &a) == nil && json.Unmarshal(text, &b) == nil && reflect.DeepEqual(a, b)
}

// address is that of an instance.
func (e *stateEdit) address(r, i int) string {
	address := textOf(e.resources[r], "type") + "." + textOf(e.resources[r], "name") + berth.InstanceKey(e.instances[r][i]["index_key"])
	if module := textOf(e.resources[r], "module"); module != "" {
		address = module + "." + address
	}
	return address
}

func (e *stateEdit) remove(m made) {
	if r, i, ok := e.find(m.begun.Type, m.id, m.prior); ok {
		e.instances[r] = slices.Delete(e.instances[r], i, i+1)
		e.changed = true
	}
}

// put writes an object as it is now. It gives a gap where the object cannot be
// given a place.
func (e *stateEdit) put(m made) *lost {
	attributes, err := ctyjson.Marshal(m.value, m.shape.Type)
	gap := &lost{Type: m.begun.Type, Source: m.begun.Source, Addresses: m.begun.Addresses, Known: knownAttributes(m.value), Why: "it was made, and it is not known for which of these", At: m.begun.At}
	if err != nil {
		gap.Why = "it was made, but what its plugin said of it cannot be written down"
		return gap
	}
	same := m.value
	if m.begun.Action == "update" {
		same = m.prior
	}
	r, i, ok := e.find(m.begun.Type, m.id, same)
	if !ok && m.begun.Action == "update" {
		r, i, ok = e.find(m.begun.Type, idOf(m.prior), same) // it has another id now
	}
	if ok {
		instance := e.instances[r][i]
		switch {
		case m.reborn && !slices.Contains(m.begun.Addresses, e.address(r, i)):
			e.instances[r] = slices.Delete(e.instances[r], i, i+1) // its predecessor of the same name, elsewhere
		case equalJSON(instance["attributes"], m.value):
			return nil
		default:
			e.fill(instance, m, attributes)
			return nil
		}
	}
	if m.begun.Action != "create" {
		return nil // it is not in the state under this id, so it is not the state's
	}
	address, ok := e.vacant(m.begun.Addresses)
	if !ok {
		return gap
	}
	at, ok := parseAddress(address)
	if !ok || at.kind != m.begun.Type {
		return gap
	}
	instance := rawObject{}
	if at.key != "" {
		instance["index_key"] = json.RawMessage(at.key)
	}
	e.fill(instance, m, attributes)
	if m.ended.Failed != "" {
		instance["status"] = asJSON("tainted") // as terraform marks what it failed to make
	}
	e.add(at, m.begun.Source, instance)
	return nil
}

// fill writes the values of an object into its instance.
func (e *stateEdit) fill(instance rawObject, m made, attributes []byte) {
	instance["attributes"] = attributes
	instance["schema_version"] = json.RawMessage(fmt.Sprint(m.shape.Version))
	instance["sensitive_attributes"] = secretPaths(m.shape, m.value)
	delete(instance, "private")
	delete(instance, "identity")
	delete(instance, "identity_schema_version")
	if len(m.ended.Private) > 0 {
		text, _ := json.Marshal(m.ended.Private)
		instance["private"] = text
	}
	e.changed = true
}

// secretPaths are the sensitive attributes of an object, as states name them.
func secretPaths(shape journal.Shape, v cty.Value) json.RawMessage {
	type step struct {
		Type  string `json:"type"`
		Value any    `json:"value"`
	}
	list := [][]step{}
	for _, path := range shape.Secret {
		var steps []step
		for _, s := range path {
			a, plain := s.(cty.GetAttrStep)
			if !plain {
				steps = nil // of some element: the next build says of which
				break
			}
			steps = append(steps, step{Type: "get_attr", Value: a.Name})
		}
		if at, err := path.Apply(v); steps == nil || err != nil || at.IsNull() {
			continue
		}
		list = append(list, steps)
	}
	text, _ := json.Marshal(list)
	return text
}

// vacant is the one address of these that has no object in the state.
func (e *stateEdit) vacant(addresses []string) (string, bool) {
	if len(addresses) == 1 {
		return addresses[0], true
	}
	free := slices.DeleteFunc(slices.Clone(addresses), func(address string) bool {
		at, ok := parseAddress(address)
		if !ok {
			return false
		}
		_, _, there := e.current(at)
		return there
	})
	if len(free) != 1 {
		return "", false
	}
	return free[0], true
}

// current finds the object at an address that is not deposed. r is its resource,
// or where there is one without it; -1 if there is none.
func (e *stateEdit) current(at objectAddress) (r, i int, ok bool) {
	r = slices.IndexFunc(e.resources, func(o rawObject) bool {
		return textOf(o, "mode") == "managed" && textOf(o, "type") == at.kind && textOf(o, "name") == at.name && textOf(o, "module") == at.module
	})
	if r < 0 {
		return -1, 0, false
	}
	i = slices.IndexFunc(e.instances[r], func(o rawObject) bool {
		return textOf(o, "deposed") == "" && sameKey(o["index_key"], at.key)
	})
	return r, i, i >= 0
}

func sameKey(a json.RawMessage, b string) bool {
	var x, y any
	if len(a) > 0 && json.Unmarshal(a, &x) != nil || b != "" && json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return x == y
}

// add puts an instance at its address. What is there already is deposed: it was
// to be replaced, and its successor made first.
func (e *stateEdit) add(at objectAddress, source string, instance rawObject) {
	e.changed = true
	r, i, there := e.current(at)
	if there {
		key := make([]byte, 4)
		_, _ = rand.Read(key)
		e.instances[r][i]["deposed"] = asJSON(hex.EncodeToString(key))
	}
	if r >= 0 {
		for _, other := range e.instances[r] {
			if needs, ok := other["dependencies"]; ok {
				instance["dependencies"] = needs
			}
		}
		e.instances[r] = append(e.instances[r], instance)
		return
	}
	resource := rawObject{
		"mode": asJSON("managed"), "type": asJSON(at.kind), "name": asJSON(at.name),
		"provider": asJSON(`provider["` + source + `"]`),
	}
	if at.module != "" {
		resource["module"] = asJSON(at.module)
	}
	e.resources = append(e.resources, resource)
	e.instances = append(e.instances, []rawObject{instance})
}

// done is the state as it is now, with the next serial if it has changed.
func (e *stateEdit) done(missing []lost) ([]byte, error) {
	if len(missing) > 0 {
		var before []lost
		_ = json.Unmarshal(e.top[lostName], &before)
		text, err := json.Marshal(merged(before, missing))
		if err != nil {
			return e.text, err
		}
		e.top[lostName] = text
		e.changed = true
	}
	if !e.changed {
		return e.text, nil
	}
	var resources []rawObject
	for i, r := range e.resources {
		if len(e.instances[i]) == 0 && textOf(r, "mode") == "managed" {
			continue
		}
		text, err := json.Marshal(e.instances[i])
		if err != nil {
			return e.text, err
		}
		r["instances"] = text
		resources = append(resources, r)
	}
	text, err := json.Marshal(resources)
	if err != nil {
		return e.text, err
	}
	e.top["resources"] = text
	var serial int64
	_ = json.Unmarshal(e.top["serial"], &serial)
	e.top["serial"] = json.RawMessage(fmt.Sprint(serial + 1))
	return json.MarshalIndent(e.top, "", "  ")
}
