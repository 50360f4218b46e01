package terraform

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

func TestALookFindsWhatIsGone(t *testing.T) {
	t.Parallel()
	s, root := processSite(t)
	i := s.must(starter(t, "process"))
	workspace := string(berth.NewID[berth.Workspace]())
	made, err := Run(t.Context(), s.processOptions(root, workspace, i, berth.Start, nil), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, made.State)
	t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	look := func() []string {
		t.Helper()
		rec := &recorder{t: t}
		o := s.processOptions(root, workspace, i, berth.Import, made.State)
		o.Env["CODER_WORKSPACE_TRANSITION"] = "start"
		found, err := Look(t.Context(), o, rec)
		if err != nil || len(rec.states) > 0 {
			t.Fatalf("%v, %d states\n%s", err, len(rec.states), rec.text())
		}
		var list []string
		for _, d := range found {
			list = append(list, d.String())
		}
		return list
	}
	if found := look(); len(found) > 0 {
		t.Errorf("nothing was touched: %v", found)
	}
	if err := os.RemoveAll(filepath.Join(root, workspace, "home")); err != nil {
		t.Fatal(err)
	}
	found := look()
	if !slices.ContainsFunc(found, func(s string) bool {
		return strings.HasPrefix(s, "berth_directory.") && strings.Contains(s, "is not there any more")
	}) {
		t.Errorf("the home was removed: %v", found)
	}
}

func TestDriftOfAPlan(t *testing.T) {
	t.Parallel()
	p := shown{Drifted: []drifted{
		{Address: "docker_volume.b", Mode: "managed", Type: "docker_volume"}, {Address: "coder_agent.main", Mode: "managed", Type: "coder_agent"},
		{Address: "data.x.y", Mode: "data", Type: "x"}, {Address: "docker_container.a", Mode: "managed", Type: "docker_container"},
		{Address: "docker_image.same", Mode: "managed", Type: "docker_image"},
	}}
	p.Drifted[0].Change.Actions = []string{"delete"}
	p.Drifted[1].Change.Actions = []string{"delete"}
	p.Drifted[3].Change.Before = map[string]json.RawMessage{"env": []byte(`["A=secret"]`), "name": []byte(`"a"`), "memory": []byte("1")}
	p.Drifted[3].Change.After = map[string]json.RawMessage{"env": []byte(`["A=other"]`), "name": []byte(`"a"`), "image": []byte(`"x"`)}
	maps.Copy(p.Drifted[3].Change.After, map[string]json.RawMessage{"dns": []byte("[]"), "sysctls": []byte("{}"), "tty": []byte("false")})
	p.Drifted[4].Change.Before = map[string]json.RawMessage{"labels": []byte("null"), "ports": []byte(`[{"ip":"","port":22}]`)}
	p.Drifted[4].Change.After = map[string]json.RawMessage{"labels": []byte("[]"), "ports": []byte(`[{"ip":null,"port":22}]`)}
	var said []string
	for _, d := range p.drift() {
		said = append(said, d.String())
	}
	want := []string{"docker_container.a was changed in env, image, memory", "docker_volume.b is not there any more: a start makes it again"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
}
