package templates_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/templates"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	was := berth.Contents{
		Parameters: []berth.Parameter{
			{Name: "cpus", Type: "number", Default: "2", Mutable: true, Validation: &berth.Validation{Min: new(1), Max: new(8)}},
			{Name: "region", Default: "eu", Options: []berth.ParameterOption{{Value: "eu"}, {Value: "us"}}},
			{Name: "look", Default: "x", Description: "old"},
			{Name: "gone"},
			{Name: "same", Default: "1"},
		},
		Presets:   []berth.Preset{{Name: "large", Parameters: map[string]string{"cpus": "4", "gone": "x"}}},
		Resources: []berth.TemplateResource{{Address: "docker_volume.home", Type: "docker_volume", Persistent: true}, {Address: "docker_volume.cache", Type: "docker_volume", Persistent: true}, {Address: "docker_container.dev", Type: "docker_container"}, {Address: "coder_agent.main", Type: "coder_agent"}},
		Agents:    []string{"main"},
		Variables: []berth.Variable{{Name: "image", Default: "debian:12"}},
		Plugins:   []berth.Plugin{{Source: "registry.terraform.io/kreuzwerker/docker", Version: "3.0.0"}},
		Modules:   []berth.Module{{Key: "ide", Source: "./ide"}},
	}
	is := berth.Contents{
		Parameters: []berth.Parameter{
			{Name: "cpus", Type: "number", Default: "4", Validation: &berth.Validation{Min: new(2), Monotonic: "increasing"}},
			{Name: "region", Required: true, Options: []berth.ParameterOption{{Value: "eu"}, {Value: "asia"}}},
			{Name: "look", Default: "x", Description: "new"},
			{Name: "same", Default: "1"},
			{Name: "repo", Required: true},
		},
		Presets:   []berth.Preset{{Name: "large", Parameters: map[string]string{"cpus": "8"}, Default: true, Instances: 2}, {Name: "small"}},
		Resources: []berth.TemplateResource{{Address: "docker_volume.cache", Type: "docker_volume"}, {Address: "docker_container.dev", Type: "docker_container"}, {Address: "coder_app.web", Type: "coder_app"}},
		Agents:    []string{"main", "side"},
		External:  []berth.ExternalNeed{{ID: "github"}},
		Variables: []berth.Variable{{Name: "image", Default: "debian:13"}, {Name: "key", Required: true, Sensitive: true}},
		Plugins:   []berth.Plugin{{Source: "registry.terraform.io/kreuzwerker/docker", Version: "4.0.0"}},
		DailyCost: new(7),
	}
	var got []string
	for _, c := range templates.Compare(was, is) {
		got = append(got, fmt.Sprintf("%s %s %s: %s", c.Change, c.Kind, c.Name, c.Says))
	}
	want := []string{
		`changed parameter cpus: its default is "4" instead of "2"; its minimum is 2 instead of 1; its maximum is not 8 any more; it may only grow now; it cannot be changed any more once it was answered`,
		`changed parameter region: it needs an answer where there was a default; new option "asia"; no option "us" any more`,
		`changed parameter look: it is shown differently`,
		`added parameter repo: is new: it needs an answer`,
		`removed parameter gone: is gone`,
		`changed preset large: its answer to cpus is "8" instead of "4"; it does not answer gone any more; the size of its pool is 2 instead of 0; it is the default now`,
		`added preset small: is new`,
		`changed resource docker_volume.cache: it is not persistent any more, so the next stop destroys it`,
		`removed resource docker_volume.home: is gone: it is persistent, so an update that does not move it destroys it, which has to be allowed`,
		`added agent side: is new`,
		`added sign-in github: is new: starts need it`,
		`changed variable image: its default is "debian:13" instead of "debian:12"`,
		`added variable key: is new: a push has to give it`,
		`changed plugin registry.terraform.io/kreuzwerker/docker: its version is "4.0.0" instead of "3.0.0"`,
		`removed module ide: is gone`,
		`changed cost : a start costs 7 a day with the answers that the import tried`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if same := templates.Compare(is, is); len(same) != 0 {
		t.Errorf("a version against itself: %v", same)
	}
}

func TestDiffOfFiles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		push := func(name string, files map[string]string) {
			t.Helper()
			a, err := h.s.Upload(ctx, h.admin, tarOf(t, files))
			must(t, err)
			h.push(templates.Push{Template: "dev", Name: name, Archive: a.Hash, Activate: true})
			h.finish(imported)
		}
		push("one", map[string]string{"main.tf": "a\nb\nc\n", "old.sh": "echo\n", "picture.png": "\x00\x01"})
		push("two", map[string]string{"main.tf": "a\nB\nc\n", "new.sh": "echo\n", "picture.png": "\x00\x02"})
		d, err := h.s.Diff(ctx, h.admin, "", "dev", "", "two")
		must(t, err)
		var got []string
		for _, f := range d.Files {
			got = append(got, fmt.Sprintf("%s %s %s", f.Change, f.Path, f.Note))
		}
		if diff := cmp.Diff([]string{"changed main.tf ", "added new.sh ", "removed old.sh ", "changed picture.png it is not text"}, got); diff != "" || d.From.Name != "one" || d.Hidden {
			t.Errorf("from %s: %s", d.From.Name, diff)
		}
		if !strings.Contains(d.Files[0].Diff, "--- a/main.tf\n+++ b/main.tf\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n") || !strings.Contains(d.Files[1].Diff, "--- /dev/null\n+++ b/new.sh\n") {
			t.Errorf("diffs: %s%s", d.Files[0].Diff, d.Files[1].Diff)
		}
		back, err := h.s.Diff(ctx, h.admin, "", "dev", templates.Active, "one")
		if must(t, err); back.From.Name != "two" || len(back.Files) != 4 {
			t.Errorf("backwards: %s, %d files", back.From.Name, len(back.Files))
		}
		whole, err := h.s.Diff(ctx, h.admin, "", "dev", "", "one")
		if must(t, err); whole.From.ID != "" || len(whole.Files) != 3 || whole.Files[0].Change != berth.Added {
			t.Errorf("the first version: %+v", whole)
		}
		// The source is for those who may change the template.
		hidden, err := h.s.Diff(ctx, h.mel, "", "dev", "", "two")
		if must(t, err); !hidden.Hidden || len(hidden.Files) != 0 {
			t.Errorf("a member sees %d files", len(hidden.Files))
		}
		_, err = h.s.Diff(ctx, h.stranger, "", "dev", "", "two")
		want(t, "a stranger", err, berth.NotFound)
		_, err = h.s.Diff(ctx, h.admin, "", "dev", "nosuch", "two")
		want(t, "no such version", err, berth.NotFound)
	})
}
