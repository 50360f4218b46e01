package workspaces

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// contents is a version with a persistent home and an ephemeral container.
var contents = []berth.TemplateResource{
	{Address: "docker_volume.home", Type: "docker_volume", Persistent: true},
	{Address: "docker_container.main", Type: "docker_container"},
	{Address: "coder_agent.main", Type: "coder_agent", Persistent: true},
	{Address: "module.m.disk.d", Type: "disk", Persistent: true},
}

func change(address string, actions ...string) berth.Change {
	return berth.Change{Address: address, Actions: actions}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	home := []string{"docker_volume.home[0]"}
	replace := []string{"delete", "create"}
	for _, c := range []struct {
		name   string
		f      Facts
		change berth.Change
		action string // refused action; empty: allowed
	}{
		{"updating the home", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("docker_volume.home[0]", "update"), ""},
		{"replacing the home", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("docker_volume.home[0]", replace...), "replace"},
		{"replacing it the other way round", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("docker_volume.home[0]", "create", "delete"), "replace"},
		{"deleting the home", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("docker_volume.home[0]", "delete"), "delete"},
		{"deleting the home at a stop", Facts{Transition: berth.Stop, Persistent: home, Now: contents}, change("docker_volume.home[0]", "delete"), "delete"},
		{"forgetting the home", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("docker_volume.home[0]", "forget"), "forget"},
		{"deleting everything", Facts{Transition: berth.Delete, Persistent: home}, change("docker_volume.home[0]", "delete"), ""},
		{"a person gave it up", Facts{Transition: berth.Start, Persistent: home, AllowDestroy: home, Now: contents}, change("docker_volume.home[0]", replace...), ""},
		{"a person gave another up", Facts{Transition: berth.Start, Persistent: home, AllowDestroy: []string{"docker_volume.home"}, Now: contents}, change("docker_volume.home[0]", replace...), "replace"},
		{"stopping the container", Facts{Transition: berth.Stop, Persistent: home, Now: contents}, change("docker_container.main[0]", "delete"), ""},
		{"replacing the container", Facts{Transition: berth.Start, Persistent: home, Before: contents, Now: contents}, change("docker_container.main[0]", replace...), ""},
		{"replacing the agent", Facts{Transition: berth.Start, Persistent: home, Now: contents}, change("coder_agent.main", replace...), ""},
		{"moved and replaced", Facts{Transition: berth.Start, Persistent: home, Now: contents},
			berth.Change{Address: "docker_volume.data", Previous: "docker_volume.home[0]", Actions: replace}, "replace"},
		{"moved, given up by its new name", Facts{Transition: berth.Start, Persistent: home, AllowDestroy: []string{"docker_volume.data"}, Now: contents},
			berth.Change{Address: "docker_volume.data", Previous: "docker_volume.home[0]", Actions: replace}, ""},
		{"persistent by the version before, in a state that was lost sight of", Facts{Transition: berth.Start, Before: contents}, change("docker_volume.home[7]", "delete"), "delete"},
		{"unknown, deleted by a start", Facts{Transition: berth.Start, Now: contents}, change("aws_disk.x", "delete"), "delete"},
		{"unknown, replaced by a start", Facts{Transition: berth.Start, Now: contents}, change("aws_disk.x", replace...), "replace"},
		{"unknown, deleted by a stop", Facts{Transition: berth.Stop, Now: contents}, change("aws_disk.x", "delete"), ""},
		{"unknown, replaced by a stop", Facts{Transition: berth.Stop, Now: contents}, change("aws_disk.x", replace...), "replace"},
		{"unknown, forgotten by a stop", Facts{Transition: berth.Stop, Now: contents}, change("aws_disk.x", "forget"), "forget"},
		{"ephemeral before, gone now", Facts{Transition: berth.Start, Before: contents}, change("docker_container.main[0]", "delete"), ""},
		{"in a module", Facts{Transition: berth.Start, Persistent: []string{`module.m["a.b"].disk.d["x"]`}}, change(`module.m["a.b"].disk.d["x"]`, "delete"), "delete"},
		{"another instance in a module", Facts{Transition: berth.Start, Before: contents}, change(`module.m["a.b"].disk.d["y"]`, "delete"), "delete"},
	} {
		v := Judge(c.f, berth.Plan{Changes: []berth.Change{change("x.y", "no-op"), c.change, change("x.z", "create")}})
		switch {
		case c.action == "" && !v.Allow:
			t.Errorf("%s: refused: %s", c.name, v.Reason)
		case c.action != "" && (v.Allow || v.ErrorCode != "persistence" || len(v.Refused) != 1 || v.Refused[0].Action != c.action):
			t.Errorf("%s: %+v, want %s refused", c.name, v, c.action)
		}
	}
}

func TestJudgeExplains(t *testing.T) {
	t.Parallel()
	v := Judge(Facts{Transition: berth.Start, Persistent: []string{"docker_volume.home"}},
		berth.Plan{Changes: []berth.Change{{Address: "docker_volume.home", Actions: []string{"delete", "create"}, Forces: []string{"name"}}}})
	for _, part := range []string{"replace docker_volume.home", "because of name", "--allow-destroy 'docker_volume.home'", "nothing was changed"} {
		if !strings.Contains(v.Reason, part) {
			t.Errorf("%q does not say %q", v.Reason, part)
		}
	}
}

// TestNothingPersistentEnds: whatever a start or stop plans, it is allowed only
// if no persistent address ends that was not given up.
func TestNothingPersistentEnds(t *testing.T) {
	t.Parallel()
	address := rapid.SampledFrom([]string{"a.x", "a.x[0]", "a.x[1]", `a.x["k"]`, "b.y", "module.m.a.x", "module.m[0].a.x[0]", "coder_app.z"})
	actions := rapid.SampledFrom([][]string{{"no-op"}, {"update"}, {"create"}, {"read"}, {"delete"}, {"delete", "create"}, {"create", "delete"}, {"forget"}, {"create", "forget"}})
	resources := rapid.SliceOf(rapid.Custom(func(t *rapid.T) berth.TemplateResource {
		return berth.TemplateResource{Address: berth.ConfigAddress(address.Draw(t, "block")), Persistent: rapid.Bool().Draw(t, "persistent")}
	}))
	rapid.Check(t, func(t *rapid.T) {
		f := Facts{
			Transition:   rapid.SampledFrom([]berth.Transition{berth.Start, berth.Stop}).Draw(t, "transition"),
			Persistent:   rapid.SliceOf(address).Draw(t, "persistent"),
			AllowDestroy: rapid.SliceOfN(address, 0, 2).Draw(t, "allowed"),
			Before:       resources.Draw(t, "before"), Now: resources.Draw(t, "now"),
		}
		var p berth.Plan
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			c := berth.Change{Address: address.Draw(t, "address"), Actions: actions.Draw(t, "actions")}
			if rapid.Bool().Draw(t, "moved") {
				c.Previous = address.Draw(t, "previous")
			}
			p.Changes = append(p.Changes, c)
		}
		v := Judge(f, p)
		if v.Allow != (len(v.Refused) == 0) {
			t.Fatalf("allowed %v with refusals %v", v.Allow, v.Refused)
		}
		for _, c := range p.Changes {
			for _, a := range []string{c.Address, c.Previous} {
				given := slices.Contains(f.AllowDestroy, c.Address) || slices.Contains(f.AllowDestroy, c.Previous)
				if v.Allow && c.Destroys() && slices.Contains(f.Persistent, a) && !given && !ours(c.Address) && !ours(c.Previous) {
					t.Fatalf("%+v was allowed although %s is persistent", c, a)
				}
			}
		}
		f.Transition = berth.Delete
		if !Judge(f, p).Allow {
			t.Fatal("a delete was refused")
		}
	})
}

func TestNextPersistent(t *testing.T) {
	t.Parallel()
	state := []string{"docker_volume.home[0]", "docker_container.main[0]", "coder_agent.main", "other.x"}
	for _, c := range []struct {
		name    string
		old     []string
		stopped bool
		want    []string
	}{
		{"after a start: what the version says", nil, false, []string{"docker_volume.home[0]"}},
		{"after a start: what was and is still there", []string{"other.x", "gone.y"}, false, []string{"docker_volume.home[0]", "other.x"}},
		{"after a stop: all that is left", nil, true, []string{"docker_container.main[0]", "docker_volume.home[0]", "other.x"}},
	} {
		if diff := cmp.Diff(c.want, nextPersistent(c.old, state, contents, c.stopped)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	got := stateAddresses([]byte(`{"version":4,"resources":[
		{"mode":"managed","type":"a","name":"b","instances":[{}]},
		{"mode":"managed","module":"module.m[0]","type":"a","name":"c","instances":[{"index_key":0},{"index_key":"k"}]},
		{"mode":"data","type":"d","name":"e","instances":[{}]}]}`))
	if diff := cmp.Diff([]string{"a.b", "module.m[0].a.c[0]", `module.m[0].a.c["k"]`}, got); diff != "" {
		t.Error(diff)
	}
	if stateAddresses([]byte("nonsense")) != nil {
		t.Error("nonsense has addresses")
	}
}
