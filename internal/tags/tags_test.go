package tags_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tags"
)

func TestEvaluate(t *testing.T) {
	t.Parallel()
	asked := &berth.Tags{
		Blocks:     []string{`{ kind = "lab", site = local.site }`, `var.many ? { kind = "big" } : {}`},
		Locals:     map[string]string{"site": `"${var.cluster}-${local.zone}"`, "zone": "lower(data.coder_parameter.zone.value)"},
		Parameters: map[string]string{"zone": "Zone"},
	}
	declared := []berth.Variable{{Name: "cluster", Type: "string", Default: "west"}, {Name: "many", Type: "bool", Required: true}}
	for _, test := range []struct {
		given, answers map[string]string
		want           map[string]string
		wrong          string
	}{
		{map[string]string{"many": "false"}, map[string]string{"Zone": "A"}, map[string]string{"kind": "lab", "site": "west-a"}, ""},
		{map[string]string{"many": "true", "cluster": "east"}, map[string]string{"Zone": "B"}, map[string]string{"kind": "big", "site": "east-b"}, ""},
		{map[string]string{"many": "false"}, nil, nil, "no map of texts that is known"},
		{nil, map[string]string{"Zone": "A"}, nil, `does not have an attribute named "many"`},
	} {
		got, err := tags.Evaluate(asked, tags.Given{Variables: tags.Variables(declared, test.given), Answers: test.answers})
		if !maps.Equal(got, test.want) || (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%v, %v: %v, %v", test.given, test.answers, got, err)
		}
	}
}

func TestCirclesEnd(t *testing.T) {
	t.Parallel()
	_, err := tags.Evaluate(&berth.Tags{Blocks: []string{"{ a = local.a }"}, Locals: map[string]string{"a": "local.b", "b": "local.a"}}, tags.Given{})
	if err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Error(err)
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add(`{ a = var.x }`)
	f.Add(`{ a = [for x in range(9): x][*] }`)
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = tags.Evaluate(&berth.Tags{Blocks: []string{text}}, tags.Given{})
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	has := map[string]string{"a": "1", "b": "2"}
	if !tags.Match(nil, has) || !tags.Match(map[string]string{"a": "1"}, has) || tags.Match(map[string]string{"a": "2"}, has) || tags.Match(map[string]string{"c": ""}, has) {
		t.Error("a provider needs every tag that is asked for")
	}
}
