package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParameterFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given []string
		want  map[string]string
		says  string
	}{
		{[]string{"a=1", "b=x=y", "c="}, map[string]string{"a": "1", "b": "x=y", "c": ""}, ""},
		{[]string{`"tags=[""a"",""b""]"`}, map[string]string{"tags": `["a","b"]`}, ""},
		{[]string{`tags=["a","b"]`}, map[string]string{"tags": `["a","b"]`}, ""},
		{[]string{`"a=1","b=2"`}, map[string]string{"a": "1", "b": "2"}, ""},
		{[]string{"a"}, nil, "name=value"},
		{[]string{"=1"}, nil, "name=value"},
		{[]string{"a=1", "a=2"}, nil, "twice"},
		{[]string{`"a=1`}, nil, "quotes"},
	} {
		got, err := pairs("--parameter", c.given)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v %v", c.given, got, err)
			}
		} else if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%v: %v %s", c.given, err, diff)
		}
	}
}

// Whatever a list holds comes through CSV quoting as it was.
func TestListsSurviveQuoting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list, _ := json.Marshal(rapid.SliceOf(rapid.String()).Draw(t, "list"))
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Write([]string{"tags=" + string(list)})
		w.Flush()
		got, err := pairs("--parameter", []string{strings.TrimSuffix(b.String(), "\n")})
		if err != nil || got["tags"] != string(list) {
			t.Fatalf("%q: %q %v", list, got["tags"], err)
		}
	})
}

func TestParameterFile(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a: 1\nb: true\nc: text\nd: [x, \"y\"]\ne: 1.5\nf: '007'": `{"a":"1","b":"true","c":"text","d":"[\"x\",\"y\"]","e":"1.5","f":"007"}`,
		"- name: a\n  value: 1\n- {name: b, value: [x]}":          `{"a":"1","b":"[\"x\"]"}`,
		"":                            `{}`,
		"a: {b: c}":                   "error: a: give text",
		"- a":                         "error: item 1",
		"- {name: a}":                 "error: item 1",
		"- {name: a, value: 1, x: 2}": "error: item 1",
		"- {name: a, value: 1}\n- {name: a, value: 1}": "error: a is given twice",
		"just text": "error: it holds neither",
		"a: [[x]]":  "error: a: a list holds plain",
		"a: null":   "error: a: give text",
		"a: b: c":   "error:",
	} {
		got, err := parseAnswers([]byte(in))
		text, _ := json.Marshal(got)
		if err != nil {
			text = []byte("error: " + err.Error())
		}
		if err == nil && string(text) != want || err != nil && !strings.HasPrefix(string(text), want) {
			t.Errorf("%q: %s, want %s", in, text, want)
		}
	}
	file := filepath.Join(t.TempDir(), "p.yaml")
	os.WriteFile(file, []byte("a: 1\nb: 2"), 0o600)
	p := answers{given: []string{"b=3"}, file: file}
	if got, err := p.values(); err != nil || got["a"] != "1" || got["b"] != "3" {
		t.Errorf("flags over the file: %v %v", got, err)
	}
}
