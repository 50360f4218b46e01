package terraform

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// world is what a workspace of the probe's things has outside of its state.
type world struct {
	*site
	root  string // PROBE_DIR
	state []byte
	last  string // log of the build that was cut
}

func newWorld(t testing.TB) *world {
	s := newSite(t)
	w := &world{site: s, root: filepath.Join(s.dir, "world")}
	makeDir(t, w.root)
	return w
}

// things lists what there is.
func (w *world) things() []string {
	entries, _ := os.ReadDir(filepath.Join(w.root, "things"))
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// recorded lists what the state knows of.
func (w *world) recorded(state []byte) []string {
	var list []string
	if len(state) == 0 {
		return nil
	}
	f, err := parseState(state)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range f.Resources {
		for _, i := range r.Instances {
			if r.Mode == "managed" && strings.HasPrefix(r.Type, "probe_") {
				var has fields
				_ = json.Unmarshal(i.Attributes, &has)
				list = append(list, has.text("id"))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (w *world) build(i Installation, t berth.Transition) Options {
	o := w.options(i, t, w.state)
	o.Journal = filepath.Join(filepath.Dir(pluginMirror), "berth-plugin")
	o.Env["PROBE_DIR"], o.Env["PROBE_WAIT"] = w.root, "4ms"
	return o
}

// finish runs a build to its end.
func (w *world) finish(i Installation, t berth.Transition) {
	w.t.Helper()
	rec := &recorder{t: w.t}
	result, err := Run(context.Background(), w.build(i, t), rec, allow(nil))
	if err != nil {
		w.t.Fatalf("the next %s fails: %v\nthings %v\nstate %s\n%s", t, err, w.things(), w.state, w.last+"\n----\n"+rec.text())
	}
	if result.State != nil {
		w.state = result.State
	}
}

// whole says that the state and the world agree.
func (w *world) whole(when string) {
	w.t.Helper()
	if things, known := w.things(), w.recorded(w.state); !slices.Equal(things, known) {
		w.t.Fatalf("%s there are %v, and the state knows %v\n%s", when, things, known, w.state)
	}
}

// moments calls at for each moment of the probe, from the beginning.
func (w *world) moments(ctx context.Context, at func(n int, line string)) {
	path := filepath.Join(w.root, "moments")
	seen := 0
	for ctx.Err() == nil {
		if file, err := os.Open(path); err == nil {
			lines, n := bufio.NewScanner(file), 0
			for lines.Scan() {
				if n++; n > seen {
					seen = n
					at(n, lines.Text())
				}
			}
			file.Close()
		}
		time.Sleep(300 * time.Microsecond)
	}
}

// victims are the processes of a build's directory whose command has this in it.
func victims(dir, what string) (pids []int) {
	found, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range found {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		env, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(env), "HOME="+dir+"\x00") && strings.Contains(string(command), what) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Who is killed in the middle of a change.
var whom = map[string][]string{
	"terraform": {"terraform\x00apply"},
	"both":      {"terraform\x00apply", "provider-probe"},
	"plugin":    {"provider-probe"},
	"journal":   {"berth-plugin\x00journal"},
	interrupted: nil,
}

// interrupted is who nobody is killed for: terraform is told to end, and its
// plugin gives up what it is at.
const interrupted = "nobody"

// cut runs a build in which who is killed at the nth moment, and keeps what the
// build leaves.
func (w *world) cut(i Installation, t berth.Transition, who string, at int) (killed bool, r Result, err error) {
	_ = os.Remove(filepath.Join(w.root, "moments"))
	o := w.build(i, t)
	if who == interrupted {
		o.Env["PROBE_OBEYS"] = "yes"
	}
	ctx, stop := context.WithCancel(context.Background())
	running, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	done := make(chan bool, 1)
	go func() {
		hit := false
		w.moments(ctx, func(n int, line string) {
			if n != at {
				return
			}
			if who == interrupted {
				interrupt()
				hit = true
			}
			for _, what := range whom[who] {
				for _, pid := range victims(o.Dir, what) {
					hit = syscall.Kill(pid, syscall.SIGKILL) == nil || hit
				}
			}
		})
		done <- hit
	}()
	rec := &recorder{t: w.t}
	r, err = Run(running, o, rec, allow(nil))
	w.last = rec.text()
	stop()
	killed = <-done
	if r.State != nil {
		w.state = r.State
	}
	return killed, r, err
}

// The probe's things are told from others by their name.
func init() { byName["probe_thing"] = true }

// probes writes a template of things by what is drawn.
func probes(names []string, texts map[string]string, later map[string]bool) string {
	var b strings.Builder
	b.WriteString("terraform {\n  required_providers {\n    coder = { source = \"coder/coder\" }\n    probe = { source = \"berthdev/probe\" }\n  }\n}\ndata \"coder_workspace\" \"me\" {}\n")
	for i, name := range names {
		fmt.Fprintf(&b, "resource \"probe_thing\" %q {\n  name = %q\n  text = %q\n  fixed = %q\n  labels = { w = data.coder_workspace.me.id }\n  part {\n    key = \"a\"\n  }\n", name, name, texts[name], texts["fixed "+name])
		if later[name] {
			b.WriteString("  count = data.coder_workspace.me.start_count\n")
		}
		if i > 0 && texts["needs "+name] != "" {
			fmt.Fprintf(&b, "  depends_on = [probe_thing.%s]\n", names[i-1])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// Whatever of terraform is killed in the middle of whichever change: the state
// knows of all that is there, and the next build goes on from it.
func TestKilledTerraformLeavesNothing(t *testing.T) {
	t.Parallel()
	killed(t, "terraform", storm(3))
}

// A plugin that is killed as well leaves changes of which nobody knows whether
// they were made: the next build finds that out.
func TestKilledPluginsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"plugin", "both", "journal"} {
		t.Run(who, func(t *testing.T) { killed(t, who, storm(1)) })
	}
}

// Nor does a build that is told to end while its plugin is in the middle of
// something: what it failed to delete is there, though the plugin says of it what
// it says of what is gone.
func TestInterruptedPluginsLeaveNothing(t *testing.T) {
	t.Parallel()
	killed(t, interrupted, storm(2))
}

func killed(t *testing.T, who string, builds int) {
	hits := 0
	for n := 0; n < builds; n++ {
		seed := n
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			w := newWorld(t)
			hits += w.live(who, seed)
		})
	}
	t.Logf("%d builds were cut by killing %s", hits, who)
	if hits < builds/2 {
		t.Errorf("only %d of %d were cut", hits, builds)
	}
}

var storms = flag.Int("storm", 0, "how many builds to kill in each way; few if 0")

// storm is how many builds are killed: few in ordinary tests.
func storm(few int) int { return max(few, *storms) }

// live takes a workspace through a life of random builds in which one after the
// other is cut.
func (w *world) live(who string, seed int) (hits int) {
	draw := rapid.Custom(func(t *rapid.T) []int { return rapid.SliceOfN(rapid.IntRange(0, 1000), 40, 40).Draw(t, "dice") }).Example(seed)
	dice := func(n int) int { d := draw[0] % n; draw = append(draw[1:], draw[0]/3+7); return d }
	var names []string
	for i := range 2 + dice(3) {
		names = append(names, fmt.Sprintf("thing-%c", 'a'+i))
	}
	later, texts := map[string]bool{}, map[string]string{}
	var last Installation
	for round := range 3 {
		for _, name := range names {
			later[name] = later[name] || round == 0 && dice(2) == 1
			texts[name] = strconv.Itoa(dice(3))
			texts["fixed "+name] = strconv.Itoa(dice(2))
			texts["needs "+name] = map[bool]string{true: "yes"}[dice(2) == 1]
		}
		last = w.must(map[string]string{"main.tf": probes(names, texts, later)})
		transition := []berth.Transition{berth.Start, berth.Stop, berth.Start}[round]
		hit, r, err := w.cut(last, transition, who, 1+dice(2*len(names)))
		if hit {
			hits++
			if who == "terraform" && len(r.Lost) > 0 {
				w.t.Fatalf("lost %v though only terraform was killed", r.Lost)
			}
		} else if err != nil {
			w.t.Fatalf("nobody was killed, and yet: %v", err)
		}
		if who == "terraform" {
			w.whole("after the kill")
		}
		w.finish(last, transition)
		w.whole("after the next build")
	}
	w.cut(last, berth.Delete, who, 1+dice(2*len(names)))
	w.finish(last, berth.Delete)
	if left := w.things(); len(left) > 0 {
		w.t.Fatalf("after the delete there is %v", left)
	}
	return hits
}
