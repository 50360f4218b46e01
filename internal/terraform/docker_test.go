package terraform

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

const testImage = "berth-terraform-test:1"

// dockerSite is a site with the docker plugin, a container engine and an image.
// Where one of them is missing the test is skipped, aloud.
func dockerSite(t testing.TB) *site {
	t.Helper()
	if err := exec.Command("docker", "version").Run(); err != nil {
		t.Skip("SKIPPED: no container engine is running on this machine")
	}
	mirror, err := filepath.Abs(filepath.Join("..", "..", ".tools", "mirror"))
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(mirror, "registry.terraform.io/kreuzwerker/docker/*/*/*")); len(found) == 0 {
		t.Skip("SKIPPED: the docker plugin is not built; run `make tools`")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("SKIPPED: there is no busybox to make an image of")
	}
	binary, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(binary))})
	_, _ = w.Write(binary)
	for _, applet := range []string{"sh", "sleep", "cat", "ls"} {
		_ = w.WriteHeader(&tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox"})
	}
	_ = w.Close()
	load := exec.Command("docker", "import", "--change", "ENV PATH=/bin", "-", testImage)
	load.Stdin = &b
	if out, err := load.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: the container engine takes no image: %s", out)
	}
	s := newSite(t)
	s.installer.Mirror += string(os.PathListSeparator) + mirror
	return s
}

func (s *site) dockerOptions(workspace string, i Installation, tr berth.Transition, state []byte) Options {
	o := s.options(i, tr, state)
	o.Env["CODER_WORKSPACE_ID"] = workspace
	o.Env["CODER_AGENT_SCRIPT_linux_amd64"] = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
	o.Env["CODER_AGENT_SCRIPT_linux_arm64"] = o.Env["CODER_AGENT_SCRIPT_linux_amd64"]
	o.Pass = []string{"DOCKER_HOST"}
	o.Variables = map[string]string{"image": testImage}
	return o
}

func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		return "error: " + string(out)
	}
	return strings.TrimSpace(string(out))
}

func TestStarterDocker(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]string{"two steps": "", "one run": filepath.Join(filepath.Dir(pluginMirror), "berth-plugin")} {
		t.Run(name, func(t *testing.T) { starterDocker(t, program) })
	}
}

func starterDocker(t *testing.T, program string) {
	s := dockerSite(t)
	i := s.must(starter(t, "docker"))
	workspace := string(berth.NewID[berth.Workspace]())
	var plan berth.Plan
	run := func(o Options) Result {
		t.Helper()
		rec := &recorder{t: t}
		o.Journal = program
		r, err := Run(t.Context(), o, rec, allow(&plan))
		if err != nil || program != "" && !oneStep(rec) {
			t.Fatalf("%s: %v\n%s", o.Transition, err, rec.text())
		}
		return r
	}
	made := run(s.dockerOptions(workspace, i, berth.Start, nil))
	defer docker(t, "rm", "-f", "berth-"+workspace)
	volume := "berth-" + workspace + "-home"
	if made.Agents[0].Resource != "docker_container.workspace[0]" || docker(t, "inspect", "-f", "{{.State.Running}}", "berth-"+workspace) != "true" {
		t.Fatalf("%+v", made.Agents)
	}

	o := s.dockerOptions(workspace, i, berth.Start, made.State)
	o.Env["CODER_WORKSPACE_NAME"], o.Env["CODER_WORKSPACE_OWNER"], o.Env["CODER_WORKSPACE_OWNER_EMAIL"] = "renamed", "another", "a@b.example"
	run(o)
	if slices.ContainsFunc(plan.Changes, berth.Change.Destroys) {
		t.Errorf("a rename changes %+v", plan.Changes)
	}

	o = s.dockerOptions(workspace, i, berth.Start, made.State)
	o.Env[parameterVariable("memory")] = "4096"
	bigger := run(o)
	for _, c := range plan.Changes {
		if c.Type == "docker_volume" {
			t.Errorf("another answer changes the home: %+v", c)
		}
	}

	stopped := run(s.dockerOptions(workspace, i, berth.Stop, newer(bigger, made).State))
	if !strings.HasPrefix(docker(t, "inspect", "berth-"+workspace), "error") || strings.HasPrefix(docker(t, "volume", "inspect", volume), "error") {
		t.Error("a stop must remove the container and keep the volume")
	}
	run(s.dockerOptions(workspace, i, berth.Delete, stopped.State))
	if !strings.HasPrefix(docker(t, "volume", "inspect", volume), "error") {
		t.Error("a delete must remove the volume")
	}
}

func newer(a, b Result) Result {
	if a.State == nil {
		return b
	}
	return a
}

// BenchmarkDocker compares builds of the docker starter with
// `terraform init && terraform apply` of the same template and state.
func BenchmarkDocker(b *testing.B) {
	s := dockerSite(b)
	i := s.must(starter(b, "docker"))
	state := map[string][]byte{}
	for _, how := range []string{"one run", "two steps", "plain"} {
		workspace := string(berth.NewID[berth.Workspace]())
		cycle := func(tr berth.Transition) {
			o := s.dockerOptions(workspace, i, tr, state[how])
			if how == "one run" {
				o.Journal = filepath.Join(filepath.Dir(pluginMirror), "berth-plugin")
			}
			if how != "plain" {
				r, err := Run(b.Context(), o, &recorder{t: b}, allow(nil))
				if err != nil {
					b.Fatal(err)
				}
				if r.State != nil {
					state[how] = r.State
				}
				return
			}
			state[how] = s.plain(b, o)
		}
		cycle(berth.Start)
		for _, step := range []struct {
			name string
			do   berth.Transition
		}{{"stop", berth.Stop}, {"start", berth.Start}, {"no-op", berth.Start}} {
			b.Run(step.name+"/"+how, func(b *testing.B) {
				for range b.N {
					if step.name != "no-op" { // undo the last round, uncounted
						b.StopTimer()
						cycle(map[berth.Transition]berth.Transition{berth.Start: berth.Stop, berth.Stop: berth.Start}[step.do])
						b.StartTimer()
					}
					cycle(step.do)
				}
			})
		}
		cycle(berth.Delete)
	}
}

// plain does a build as a person would by hand.
func (s *site) plain(b *testing.B, o Options) []byte {
	work := filepath.Join(o.Dir, "work")
	for _, err := range []error{os.MkdirAll(filepath.Join(o.Dir, "tmp"), 0o700), os.MkdirAll(work, 0o700), writeConfig(o.Dir, o.Installation.Mirror, nil, "")} {
		if err != nil {
			b.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(o.Installation.Dir, "main.tf"))
	if err != nil {
		b.Fatal(err)
	}
	_ = os.WriteFile(filepath.Join(work, "main.tf"), text, 0o600)
	if o.State != nil {
		_ = os.WriteFile(filepath.Join(work, "terraform.tfstate"), o.State, 0o600)
	}
	o.Env["CODER_WORKSPACE_TRANSITION"] = transitions[o.Transition]
	apply := []string{"apply", "-auto-approve", "-input=false", "-var=image=" + testImage}
	if o.Transition == berth.Delete {
		apply = append(apply, "-destroy")
	}
	for _, args := range [][]string{{"init", "-input=false"}, apply} {
		cmd := exec.Command(o.Engine.Path, args...)
		cmd.Dir, cmd.Env = work, environ(o.Dir, o)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	state, err := os.ReadFile(filepath.Join(work, "terraform.tfstate"))
	if err != nil {
		b.Fatal(err)
	}
	return state
}
