package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

func TestStreamTellsWhenItIsNotEnough(t *testing.T) {
	t.Parallel()
	change := func(action, kind string) string {
		return `{"@level":"info","type":"planned_change","change":{"resource":{"addr":"` + kind + `.x","resource_type":"` + kind + `"},"action":"` + action + `"}}`
	}
	summary := func(removes string) string {
		return `{"@level":"info","type":"change_summary","changes":{"remove":` + removes + `,"operation":"plan"}}`
	}
	for name, test := range map[string]struct {
		lines  []string
		enough bool
		ends   int
	}{
		"create":           {[]string{change("create", "a"), summary("0")}, true, 0},
		"delete":           {[]string{change("delete", "a"), summary("1")}, true, 1},
		"forget":           {[]string{change("remove", "a"), summary("0")}, true, 1},
		"replace":          {[]string{change("replace", "a"), summary("1")}, false, 1},
		"replace metadata": {[]string{change("replace", "coder_metadata"), summary("1")}, true, 1},
		"unknown word":     {[]string{change("explode", "a"), summary("0")}, false, 0},
		"hidden delete":    {[]string{change("create", "a"), summary("1")}, false, 0},
		"cut":              {[]string{change("create", "a")}, false, 0},
		"noise":            {[]string{"not json", "{}", "null", `{"type":"planned_change"}`, `{"type":"diagnostic"}`, summary("0")}, true, 0},
	} {
		s := newStream("plan", func(berth.Log) {})
		for _, line := range test.lines {
			s.line([]byte(line))
		}
		list, enough := s.changes()
		ends := 0
		for _, c := range list {
			if c.Destroys() {
				ends++
			}
		}
		if enough != test.enough || ends != test.ends {
			t.Errorf("%s: enough %v, ends %d", name, enough, ends)
		}
	}
}

func TestRecoverTakesTheNewest(t *testing.T) {
	t.Parallel()
	state := func(serial string) string {
		return `{"version":4,"lineage":"l","serial":` + serial + `,"resources":[]}`
	}
	for name, test := range map[string]struct {
		files  map[string]string
		serial int64
	}{
		"errored":         {map[string]string{stateName: state("3"), erroredName: state("5")}, 5},
		"errored is old":  {map[string]string{stateName: state("7"), erroredName: state("5")}, 7},
		"torn":            {map[string]string{stateName: state("7")[:20], backupName: state("5")}, 5},
		"empty":           {map[string]string{stateName: "", backupName: state("2")}, 2},
		"nothing":         {nil, 0},
		"only a bad file": {map[string]string{stateName: "x"}, 0},
	} {
		dir := t.TempDir()
		_ = os.Mkdir(filepath.Join(dir, workName), 0o700)
		for name, text := range test.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := Recover(dir); err != nil || r.Serial != test.serial {
			t.Errorf("%s: serial %d, %v", name, r.Serial, err)
		}
	}
	if r, err := Recover(filepath.Join(t.TempDir(), "gone")); err != nil || r.State != nil {
		t.Errorf("missing directory: %v %v", r, err)
	}
}

func TestRecoverFollowsNothing(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(outside, []byte(`{"version":4,"lineage":"l","serial":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, plant := range map[string]func(dir string) error{
		"file":      func(dir string) error { return os.Symlink(outside, filepath.Join(dir, stateName)) },
		"directory": func(dir string) error { return os.MkdirAll(filepath.Join(dir, stateName), 0o700) },
		"work": func(dir string) error {
			_ = os.Remove(filepath.Join(dir, workName))
			return os.Symlink(filepath.Dir(outside), filepath.Join(dir, workName))
		},
	} {
		dir := t.TempDir()
		_ = os.Mkdir(filepath.Join(dir, workName), 0o700)
		if err := plant(dir); err != nil {
			t.Fatal(err)
		}
		if r, err := Recover(dir); err != nil || r.State != nil {
			t.Errorf("%s: read %s %v", name, r.State, err)
		}
	}
}

func TestExamplesMatch(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`^[a-z]+$`, `^https?://.+$`, `^(small|large)$`, `^\d{3}-\w+$`, `^$`, `^[^a]*$`, `(`} {
		_ = example(pattern) // never fails
	}
	for _, pattern := range []string{`^\d{3}-\w+$`, `^(x|y)z{2,}$`, `^https://[a-z]+[.]example/.+$`, `^[A-Z]{4}$`} {
		if e := example(pattern); !strings.Contains(e, "placeholder") && e == "" {
			t.Errorf("%s: %q", pattern, e)
		} else if e == "placeholder" {
			t.Errorf("%s: nothing found", pattern)
		}
	}
}

func FuzzReadState(f *testing.F) {
	f.Add([]byte(`{"version":4,"lineage":"l","serial":1,"resources":[{"mode":"managed","type":"coder_agent","name":"a","instances":[{"index_key":0,"attributes":{"id":"x","env":{"A":1},"metadata":[{"key":"k"}],"display_apps":[{"vscode":true}]},"dependencies":["a.b"],"sensitive_attributes":[[{"type":"get_attr","value":"item"}]]}]}]}`))
	f.Add([]byte(`{"version":4,"lineage":"l","resources":[{"mode":"managed","type":"coder_metadata","name":"m","module":"module.x[\"a\"]","instances":[{"index_key":"k","attributes":{"resource_id":"x","item":[{"key":"a","value":"secret","sensitive":true}]}}]}]}`))
	f.Fuzz(func(t *testing.T, state []byte) {
		r, err := ReadState(state)
		if err != nil {
			return
		}
		for _, resource := range r.Resources {
			for _, item := range resource.Metadata {
				if item.Sensitive && item.Value != "" {
					t.Fatal("a sensitive value in the clear")
				}
			}
		}
		for _, a := range r.Agents {
			if !berth.ValidAgentName(a.Name) {
				t.Fatalf("agent %q", a.Name)
			}
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"@level":"info","@message":"x","type":"planned_change","change":{"resource":{"addr":"a.b"},"action":"delete"}}`))
	f.Add([]byte(`{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"s","range":{"filename":"f","start":{"line":1}},"snippet":{"code":"x"}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s := newStream("plan", func(l berth.Log) {
			if l.Text == "" || l.Level == "" {
				t.Fatalf("empty line %+v", l)
			}
		})
		s.line(line)
		s.changes()
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"resource_changes":[{"address":"a.b","mode":"managed","type":"a","change":{"actions":["delete","create"],"replace_paths":[["env",0,"x.y"]]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p shown
		if json.Unmarshal(text, &p) == nil {
			p.changes()
			_, _ = contents(p, p, []source.Module{{}}, source.ReadGraph(".", []source.Module{{Dir: "."}}), nil)
		}
	})
}
