package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/berthdev/berth"
)

// plan writes the plan file and reads from it what the judge has to know.
func (r *run) plan(ctx context.Context) (berth.Plan, error) {
	args := r.planArgs()
	if r.Transition == berth.Delete {
		args = append(args, "-destroy")
	}
	s, err := r.terraform(ctx, "plan", args...)
	if err != nil {
		return berth.Plan{}, err
	}
	if changes, enough := s.changes(); enough {
		if cost, known := r.streamedCost(s); known {
			return berth.Plan{Changes: changes, DailyCost: cost}, nil
		}
	}
	shown, err := r.show(ctx, "plan")
	if err != nil {
		return berth.Plan{}, err
	}
	cost, unknown, err := shown.cost()
	if err != nil && r.Transition == berth.Start { // nothing is kept from stopping by what it is said to cost
		return berth.Plan{}, &RunError{Code: berth.FailedTerraform, Err: &berth.Error{Code: berth.Invalid, Message: err.Error() + "; nothing was changed"}}
	}
	return berth.Plan{Changes: shown.changes(), DailyCost: cost, UnknownCosts: unknown}, nil
}

// planArgs say where the plan goes and what answers the template's variables.
func (r *run) planArgs() []string {
	return []string{"-out=" + r.planFile(), "-var-file=" + filepath.Join(r.dir.path, "variables.tfvars.json")}
}

// actions are the stream's words for a change as the plan file says them.
var actions = map[string][]string{
	"noop": {"no-op"}, "move": {"no-op"}, "import": {"no-op"}, "create": {"create"}, "read": {"read"},
	"update": {"update"}, "delete": {"delete"}, "replace": {"delete", "create"}, "remove": {"forget"},
}

// changes are those that the stream names. They are enough unless something is
// replaced, since the stream leaves out what forces it; or unless the stream
// may have kept a destructive change from us: it was cut, says a word that we
// do not know, or counts more of them than it named.
func (s *stream) changes() (list []berth.Change, enough bool) {
	enough = s.summary
	ending := 0
	for _, p := range s.planned {
		if isData(p.Address) {
			continue
		}
		words, known := actions[p.Action]
		c := berth.Change{Address: p.Address, Previous: p.Previous, Type: p.Type, Actions: words}
		if c.Destroys() {
			ending++
		}
		replaces := p.Action == "replace" && !strings.HasPrefix(p.Type, "coder_")
		enough = enough && known && !replaces
		list = append(list, c)
	}
	return list, enough && ending >= s.removes
}

// shown is what `show -json` says of a plan, as far as it is used.
type shown struct {
	Changes []struct {
		Address  string `json:"address"`
		Previous string `json:"previous_address"`
		Mode     string `json:"mode"`
		Type     string `json:"type"`
		Change   struct {
			Actions []string            `json:"actions"`
			Forces  [][]json.RawMessage `json:"replace_paths"`
			Unknown json.RawMessage     `json:"after_unknown"` // what has no value before it is made
		} `json:"change"`
	} `json:"resource_changes"`
	Drifted []drifted `json:"resource_drift"`
	Prior   struct {
		Values struct {
			Root shownModule `json:"root_module"`
		} `json:"values"`
	} `json:"prior_state"`
	Planned struct {
		Root shownModule `json:"root_module"`
	} `json:"planned_values"`
}

type shownModule struct {
	Address   string          `json:"address"` // "" of the root
	Resources []shownResource `json:"resources"`
	Children  []shownModule   `json:"child_modules"`
}

type shownResource struct {
	Address  string          `json:"address"`
	Index    json.RawMessage `json:"index"` // instance key
	Mode     string          `json:"mode"`
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Provider string          `json:"provider_name"`
	Schema   int             `json:"schema_version"`
	Values   fields          `json:"values"`
	Secret   fields          `json:"sensitive_values"`
}

// show reads the plan file.
func (r *run) show(ctx context.Context, stage string) (shown, error) {
	var answer bytes.Buffer
	s := newStream(stage, r.sink.Log)
	c := r.call("show", "-json", "-no-color", r.planFile())
	c.answer, c.stderr = &answer, s.problem
	begin := time.Now()
	err := c.run(ctx)
	r.timings = append(r.timings, berth.Timing{Stage: stage, Action: "show", Start: begin, End: time.Now()})
	if err != nil {
		return shown{}, r.failure(ctx, err, s)
	}
	var p shown
	if err := json.Unmarshal(answer.Bytes(), &p); err != nil {
		return shown{}, fmt.Errorf("reading the plan: %w", err)
	}
	return p, nil
}

func (p shown) changes() []berth.Change {
	var list []berth.Change
	for _, c := range p.Changes {
		if c.Mode == "data" || len(c.Change.Actions) == 1 && c.Change.Actions[0] == "no-op" && c.Previous == "" {
			continue
		}
		change := berth.Change{Address: c.Address, Type: c.Type, Actions: c.Change.Actions}
		if c.Previous != c.Address {
			change.Previous = c.Previous
		}
		for _, path := range c.Change.Forces {
			change.Forces = append(change.Forces, attributePath(path))
		}
		list = append(list, change)
	}
	return list
}

// attributePath writes ["env",0,"name"] as env[0].name.
func attributePath(path []json.RawMessage) string {
	var b strings.Builder
	for _, step := range path {
		var name string
		if json.Unmarshal(step, &name) != nil {
			fmt.Fprintf(&b, "[%s]", step)
			continue
		}
		addStep(&b, name)
	}
	return b.String()
}

func addStep(b *strings.Builder, name string) {
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	if strings.ContainsAny(name, ". []\"") {
		name = strconv.Quote(name)
	}
	b.WriteString(name)
}

// pathText writes a path of the plugin protocol in the same way.
func pathText(path cty.Path) string {
	var b strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			addStep(&b, s.Name)
		case cty.IndexStep:
			if s.Key.Type() == cty.String {
				addStep(&b, s.Key.AsString())
			} else {
				fmt.Fprintf(&b, "[%s]", s.Key.AsBigFloat().Text('f', -1))
			}
		}
	}
	return b.String()
}
