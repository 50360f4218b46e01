package parameters_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/parameters"
)

func number(n int) *int { return &n }

var (
	size   = berth.Parameter{Name: "size", Type: "number", Default: "10", Mutable: true, Validation: &berth.Validation{Min: number(5), Max: number(50), Monotonic: "increasing"}}
	ratio  = berth.Parameter{Name: "ratio", Type: "number", Default: "1", Mutable: true}
	region = berth.Parameter{Name: "region", Type: "string", Required: true, Options: []berth.ParameterOption{{Value: "eu"}, {Value: "us"}}}
	debug  = berth.Parameter{Name: "debug", Type: "bool", Default: "false", Mutable: true, Ephemeral: true}
	tags   = berth.Parameter{Name: "tags", Type: "list(string)", Default: "[]", Mutable: true}
	tools  = berth.Parameter{Name: "tools", Type: "list(string)", FormType: "multi-select", Default: "[]", Mutable: true, Options: []berth.ParameterOption{{Value: "vim"}, {Value: "emacs"}}}
	branch = berth.Parameter{Name: "branch", Type: "string", Default: "main", Mutable: true, Validation: &berth.Validation{Regex: "^[a-z]+$", Error: "letters only, not {value}"}}
	strict = berth.Parameter{Name: "strict", Type: "bool", Default: "true", Mutable: true, Validation: &berth.Validation{}}
)

type answers = map[string]string

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		asks  []berth.Parameter
		in    parameters.Answers
		want  answers
		field string // of the error
		says  string
	}{
		{"defaults", []berth.Parameter{size, tags}, parameters.Answers{}, answers{"size": "10", "tags": "[]"}, "", ""},
		{"a request beats the default", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "20"}}, answers{"size": "20"}, "", ""},
		{"a preset beats the request", []berth.Parameter{size}, parameters.Answers{Preset: answers{"size": "30", "gone": "x"}, Request: answers{"size": "20"}}, answers{"size": "30"}, "", ""},
		{"a request beats the previous", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "20"}, Previous: answers{"size": "15"}}, answers{"size": "20"}, "", ""},
		{"the previous beats the default", []berth.Parameter{size}, parameters.Answers{Previous: answers{"size": "15"}}, answers{"size": "15"}, "", ""},
		{"ephemeral values are not kept", []berth.Parameter{debug}, parameters.Answers{Previous: answers{"debug": "true"}}, answers{"debug": "false"}, "", ""},
		{"a removed question is forgotten", nil, parameters.Answers{Previous: answers{"old": "1"}}, answers{}, "", ""},
		{"required", []berth.Parameter{region}, parameters.Answers{}, nil, "parameters.region", "one of: eu, us"},
		{"wrong before missing", []berth.Parameter{region, size}, parameters.Answers{Request: answers{"size": "4"}}, nil, "parameters.size", "minimum, 5"},
		{"unknown", []berth.Parameter{size, tags}, parameters.Answers{Request: answers{"sise": "1"}}, nil, "parameters.sise", "it has: size, tags"},
		{"unknown of none", nil, parameters.Answers{Request: answers{"x": "1"}}, nil, "parameters.x", "no parameters"},
		{"no such option", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": "mars"}}, nil, "parameters.region", "eu, us"},
		{"immutable at creation", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": "eu"}}, answers{"region": "eu"}, "", ""},
		{"immutable changed", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": "us"}, Previous: answers{"region": "eu"}}, nil, "parameters.region", "cannot be changed"},
		{"immutable changed by a preset", []berth.Parameter{region}, parameters.Answers{Preset: answers{"region": "us"}, Previous: answers{"region": "eu"}}, nil, "parameters.region", "cannot be changed"},
		{"immutable said again", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": "eu"}, Previous: answers{"region": "eu"}}, answers{"region": "eu"}, "", ""},
		{"immutable that is new", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": "us"}, Previous: answers{}}, answers{"region": "us"}, "", ""},
		{"too small", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "4"}}, nil, "parameters.size", "minimum, 5"},
		{"too large", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "51"}}, nil, "parameters.size", "maximum, 50"},
		{"a fraction with validation", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "10.5"}}, nil, "parameters.size", "whole number"},
		{"a fraction without validation", []berth.Parameter{ratio}, parameters.Answers{Request: answers{"ratio": "1.5"}}, answers{"ratio": "1.5"}, "", ""},
		{"not a number", []berth.Parameter{ratio}, parameters.Answers{Request: answers{"ratio": "much"}}, nil, "parameters.ratio", "not a number"},
		{"shrinking", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "12"}, Previous: answers{"size": "15"}}, nil, "parameters.size", "15 or more"},
		{"staying", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "15"}, Previous: answers{"size": "15"}}, answers{"size": "15"}, "", ""},
		{"before was no number", []berth.Parameter{size}, parameters.Answers{Request: answers{"size": "12"}, Previous: answers{"size": "much"}}, answers{"size": "12"}, "", ""},
		{"a regular expression", []berth.Parameter{branch}, parameters.Answers{Request: answers{"branch": "X1"}}, nil, "parameters.branch", "letters only, not X1"},
		{"any bool", []berth.Parameter{debug}, parameters.Answers{Request: answers{"debug": "T"}}, answers{"debug": "T"}, "", ""},
		{"true or false with validation", []berth.Parameter{strict}, parameters.Answers{Request: answers{"strict": "1"}}, nil, "parameters.strict", "neither true nor false"},
		{"a list", []berth.Parameter{tags}, parameters.Answers{Request: answers{"tags": `["a","b"]`}}, answers{"tags": `["a","b"]`}, "", ""},
		{"not a list", []berth.Parameter{tags}, parameters.Answers{Request: answers{"tags": "a,b"}}, nil, "parameters.tags", `["a","b"]`},
		{"several options", []berth.Parameter{tools}, parameters.Answers{Request: answers{"tools": `["vim","emacs"]`}}, answers{"tools": `["vim","emacs"]`}, "", ""},
		{"one of several is wrong", []berth.Parameter{tools}, parameters.Answers{Request: answers{"tools": `["vim","nano"]`}}, nil, "parameters.tools", "nano"},
		{"empty is not unset", []berth.Parameter{region}, parameters.Answers{Request: answers{"region": ""}}, nil, "parameters.region", "not one of"},
	} {
		got, err := parameters.Resolve(parameters.All(c.asks), c.in)
		if c.field == "" {
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%s: %v %s", c.name, err, diff)
			}
			continue
		}
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != c.field || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: got %v, want invalid %s that says %q", c.name, err, c.field, c.says)
		}
	}
}

func TestCarryLetsEveryWorkspaceStop(t *testing.T) {
	t.Parallel()
	got := parameters.Carry(parameters.All([]berth.Parameter{size, region, debug, ratio}), answers{"size": "nonsense", "debug": "true", "gone": "x"})
	if diff := cmp.Diff(answers{"size": "nonsense", "debug": "false", "ratio": "1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestChoosePreset(t *testing.T) {
	t.Parallel()
	presets := []berth.Preset{{Name: "Small"}, {Name: "Large", Default: true}}
	for _, c := range []struct {
		ask   string
		isNew bool
		want  string
		fails bool
	}{{"", true, "Large", false}, {"", false, "", false}, {"none", true, "", false}, {"small", true, "Small", false}, {"huge", true, "", true}} {
		got, err := parameters.ChoosePreset(presets, c.ask, c.isNew)
		if got.Name != c.want || (err != nil) != c.fails {
			t.Errorf("preset %q: %q, %v", c.ask, got.Name, err)
		}
	}
	if _, err := parameters.ChoosePreset(nil, "huge", true); !errors.Is(err, berth.Invalid) {
		t.Errorf("no presets: %v", err)
	}
}

// TestResolveIsStable: what was resolved once is accepted again without change,
// so a rebuild never fails for its answers; and nothing is answered that was not
// asked.
func TestResolveIsStable(t *testing.T) {
	t.Parallel()
	all := []berth.Parameter{size, ratio, region, debug, tags, tools, branch, strict}
	value := rapid.SampledFrom([]string{"", "5", "20", "1.5", "true", "false", "eu", "us", "[]", `["vim"]`, "main", "x\x00"})
	rapid.Check(t, func(t *rapid.T) {
		request := answers{}
		for _, q := range all {
			if rapid.Bool().Draw(t, "answered") {
				request[q.Name] = value.Draw(t, q.Name)
			}
		}
		first, err := parameters.Resolve(parameters.All(all), parameters.Answers{Request: request})
		if err != nil {
			var e *berth.Error
			if !errors.As(err, &e) || e.Code != berth.Invalid || !strings.HasPrefix(e.Field, "parameters.") {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if len(first) != len(all) {
			t.Fatalf("%d answers to %d questions", len(first), len(all))
		}
		again, err := parameters.Resolve(parameters.All(all), parameters.Answers{Previous: first})
		if err != nil {
			t.Fatalf("a rebuild is refused: %v", err)
		}
		first["debug"] = "false" // asked for one build only
		if !maps.Equal(first, again) {
			t.Fatalf("a rebuild changes answers: %v, %v", first, again)
		}
	})
}
