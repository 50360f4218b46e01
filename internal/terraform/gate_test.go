package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// What a gate cannot hold back is planned and applied in two steps.
func TestWhatTheGateCannotHold(t *testing.T) {
	t.Parallel()
	const need = "terraform {\n  required_providers {\n    coder = { source = \"coder/coder\" }\n    probe = { source = \"berthdev/probe\" }\n  }\n}\n"
	plugins := []berth.Plugin{{Source: "registry.terraform.io/coder/coder"}, {Source: "registry.terraform.io/berthdev/probe"}}
	for _, c := range []struct {
		name, text, want string
		files            map[string]string
		state            string
		tofu             bool
	}{
		{name: "things of plugins", text: "provider \"probe\" {}\nresource \"probe_thing\" \"a\" {}\nresource \"probe_thing\" \"b\" {\n  provider = probe\n}"},
		{name: "terraform's own", text: `resource "terraform_data" "a" {}`, want: "main.tf:7: terraform_data.a is made without a plugin"},
		{name: "another's data", text: `data "http" "a" {}`, want: "http.a is made without a plugin"},
		{name: "a provisioner", text: "resource \"probe_thing\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"true\"\n  }\n}", want: "main.tf:8: a provisioner"},
		{name: "at its end", text: "resource \"probe_thing\" \"a\" {\n  provisioner \"local-exec\" {\n    when = destroy\n    command = \"true\"\n  }\n}", want: "a provisioner"},
		{name: "an alias", text: "provider \"probe\" {\n  alias = \"x\"\n}", want: "several configurations"},
		{name: "of an alias", text: "resource \"probe_thing\" \"a\" {\n  provider = probe.x\n}", want: "without a plugin"},
		{name: "removed", text: "removed {\n  from = probe_thing.a\n  lifecycle {\n    destroy = false\n  }\n}", want: `has a block "removed"`},
		{name: "import", text: "import {\n  to = probe_thing.a\n  id = \"a\"\n}", want: `has a block "import"`},
		{name: "moved", text: "moved {\n  from = probe_thing.a\n  to = probe_thing.b\n}", want: `has a block "moved"`},
		{name: "check", text: "check \"x\" {}", want: `has a block "check"`},
		{name: "ephemeral", text: "ephemeral \"probe_key\" \"x\" {}", want: `has a block "ephemeral"`},
		{name: "not yet invented", text: "action \"probe_do\" \"x\" {}", want: `has a block "action"`},
		{name: "JSON", files: map[string]string{"a.tf.json": `{"removed": {"from": "probe_thing.a"}}`}, want: `has a block "removed"`},
		{name: "JSON that is fine", files: map[string]string{"a.tf.json": `{"//": "x", "resource": {"probe_thing": {"a": {}}}}`}},
		{name: "JSON of an alias", files: map[string]string{"a.tf.json": `{"resource": {"probe_thing": {"a": {"provider": "probe.x"}}}}`}, want: "without a plugin"},
		{name: "overrides", files: map[string]string{"x_override.tf": ""}, want: "change blocks of others"},
		{name: "tofu", tofu: true, want: "OpenTofu"},
		{name: "a module's own", files: map[string]string{
			".terraform/modules/modules.json": `{"Modules":[{"Key":"m","Dir":"m"}]}`, "m/main.tf": need + `provider "probe" {}`,
		}, want: "m/main.tf:7: a plugin may have several configurations"},
		{name: "a module that is not there", files: map[string]string{
			".terraform/modules/modules.json": `{"Modules":[{"Key":"m","Dir":"../m"}]}`,
		}, want: `the module "m" cannot be read`},
		{name: "left in the state", state: `{"version":4,"lineage":"x","serial":1,"resources":[{"mode":"managed","type":"terraform_data","name":"old","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[{}]}]}`, want: "terraform_data.old belongs to"},
		{name: "left under an alias", state: `{"version":4,"lineage":"x","serial":1,"resources":[{"mode":"managed","type":"probe_thing","name":"old","provider":"provider[\"registry.terraform.io/berthdev/probe\"].x","instances":[{}]}]}`, want: "probe_thing.old belongs to"},
		{name: "known in the state", state: `{"version":4,"lineage":"x","serial":1,"resources":[{"mode":"managed","type":"probe_thing","name":"old","provider":"provider[\"registry.terraform.io/berthdev/probe\"]","instances":[{}]}]}`},
	} {
		dir := t.TempDir()
		files := map[string]string{"main.tf": need + c.text}
		maps.Copy(files, c.files)
		for name, text := range files {
			at := filepath.Join(dir, name)
			_ = os.MkdirAll(filepath.Dir(at), 0o755)
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		modules, err := source.Read(dir)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var state stateFile
		if c.state != "" {
			if state, err = parseState([]byte(c.state)); err != nil {
				t.Fatal(c.name, err)
			}
		}
		if got := unheld(dir, modules, plugins, state, c.tofu); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

// Nothing changes while a plan is judged, nor when it is refused, whoever dies
// meanwhile.
func TestNothingChangesUnjudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dice := rand.New(rand.NewPCG(1, uint64(storm(10))))
	names := []string{"thing-a", "thing-b", "thing-c"}
	i := w.must(map[string]string{"main.tf": probes(names[:2], map[string]string{"thing-a": "0"}, nil)})
	w.finish(i, berth.Start)
	for n := range storm(8) {
		texts := map[string]string{}
		for _, name := range names {
			texts[name], texts["fixed "+name] = fmt.Sprint(dice.IntN(100)), fmt.Sprint(n)
		}
		i := w.must(map[string]string{"main.tf": probes(names, texts, nil)})
		tr := []berth.Transition{berth.Start, berth.Stop, berth.Delete}[dice.IntN(3)]
		o := w.build(i, tr)
		what := []string{"", "terraform\x00apply", "provider-probe", "berth-plugin\x00journal"}[dice.IntN(4)]
		before := w.world()
		kill := make(chan struct{})
		o.Kill = kill
		rec := &recorder{t: t}
		r, err := Run(t.Context(), o, rec, func(ctx context.Context, p berth.Plan) (berth.Verdict, error) {
			if got := w.world(); !cmp.Equal(before, got) {
				t.Fatalf("while it is judged: %s", cmp.Diff(before, got))
			}
			if what == "" && dice.IntN(2) == 0 {
				close(kill)
			}
			for _, pid := range victims(o.Dir, what) {
				if what != "" {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			time.Sleep(time.Duration(dice.IntN(60)) * time.Millisecond) // as long as it may take
			return berth.Verdict{Reason: "no"}, nil
		})
		if err == nil || r.State != nil || len(rec.states) > 0 {
			t.Fatalf("killed %q: %v, and a state of revision %d\n%s", what, err, r.Serial, rec.text())
		}
		if found, err := Recover(o.Dir, o.State); err != nil || found.State != nil && found.Serial != serialOf(o.State) {
			t.Fatalf("killed %q: revision %d is recovered: %v", what, found.Serial, err)
		}
		if got := w.world(); !cmp.Equal(before, got) {
			t.Fatalf("killed %q, refused: %s\n%s", what, cmp.Diff(before, got), rec.text())
		}
		if left := victims(o.Dir, ""); len(left) > 0 {
			t.Fatalf("killed %q: %v are left running", what, left)
		}
	}
	w.finish(i, berth.Delete)
}

func serialOf(state []byte) int64 {
	_, serial, _ := Header(state)
	return serial
}

// world is what there is, with its content.
func (w *world) world() map[string]string {
	all := map[string]string{}
	for _, name := range w.things() {
		text, _ := os.ReadFile(filepath.Join(w.root, "things", name))
		all[name] = string(text)
	}
	return all
}

// Both ways of building end with the same state, plan and world.
func TestBothWaysAreTheSame(t *testing.T) {
	t.Parallel()
	two, one := newWorld(t), newWorld(t)
	dice := rand.New(rand.NewPCG(7, 7))
	names := []string{"thing-a", "thing-b", "thing-c"}
	later := map[string]bool{"thing-b": true}
	for n := range storm(8) {
		texts := map[string]string{}
		for _, name := range names {
			texts[name], texts["fixed "+name], texts["needs "+name] = fmt.Sprint(dice.IntN(3)), fmt.Sprint(dice.IntN(2)), []string{"", "yes"}[dice.IntN(2)]
		}
		tr := []berth.Transition{berth.Start, berth.Stop, berth.Start, berth.Delete}[n%4]
		files := map[string]string{"main.tf": probes(names[:1+dice.IntN(3)], texts, later)}
		var plans [2]berth.Plan
		for k, w := range []*world{two, one} {
			o := w.build(w.must(files), tr)
			if w == two {
				o.Journal = ""
			}
			rec := &recorder{t: t}
			r, err := Run(t.Context(), o, rec, allow(&plans[k]))
			if err != nil || oneStep(rec) != (w == one) {
				t.Fatalf("%d %s: %v\n%s", n, tr, err, rec.text())
			}
			if r.State != nil {
				w.state = r.State
			}
			slices.SortFunc(plans[k].Changes, func(a, b berth.Change) int { return strings.Compare(a.Address, b.Address) })
		}
		if d := cmp.Diff(plans[0], plans[1]); d != "" {
			t.Errorf("%d %s: the plans differ: %s", n, tr, d)
		}
		if d := cmp.Diff(plainState(t, two.state), plainState(t, one.state)); d != "" {
			t.Errorf("%d %s: the states differ: %s", n, tr, d)
		}
		if d := cmp.Diff(two.world(), one.world()); d != "" {
			t.Errorf("%d %s: the worlds differ: %s", n, tr, d)
		}
	}
}

// plainState is a state without what is different in any two.
func plainState(t *testing.T, state []byte) any {
	var top map[string]any
	if len(state) == 0 {
		return nil
	}
	if err := json.Unmarshal(state, &top); err != nil {
		t.Fatal(err)
	}
	delete(top, "lineage")
	delete(top, "serial")
	return top
}
