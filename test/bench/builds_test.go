//go:build bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

const rounds = 7

// TestBuilds: an import, a start, a stop, a start that changes nothing and a
// destroy, against `terraform init && terraform apply` of the same directory from
// an unpacked mirror, alternating, so that noise meets both. Plugins that stay warm
// are counted with us.
func TestBuilds(t *testing.T) {
	for _, c := range []struct{ kind, warm string }{{"process", "off"}, {"docker", "auto"}, {"docker", "off"}} {
		name := c.kind
		if c.kind == "docker" {
			name += map[string]string{"auto": " warm", "off": " cold"}[c.warm]
		}
		t.Run(name, func(t *testing.T) {
			s, dir, push, vars := bench(t, c.kind, c.warm)
			imported := seconds(func() { s.Berth(append([]string{"templates", "push", c.kind, "-d", dir}, push...)...) })
			s.Berth("create", "w", "-t", c.kind, "-y")
			s.Berth("stop", "w", "-y")
			plain := newPlain(t, s, dir, vars)
			row(name+" import, wall", []float64{imported}, []float64{plain.plans()}, "s")
			plain.apply("start")
			plain.apply("stop")

			wall, ref, mine, theirs := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
			for range rounds {
				for _, step := range []struct{ name, verb, transition string }{
					{"start", "start", "start"}, {"no-op start", "start", "start"}, {"stop", "stop", "stop"},
				} {
					before := spent(t, s)
					wall[step.name] = append(wall[step.name], s.Build(step.verb, "w"))
					time.Sleep(300 * time.Millisecond) // the keeper is reaped
					mine[step.name] = append(mine[step.name], spent(t, s)-before)
					w, c := plain.apply(step.transition)
					ref[step.name], theirs[step.name] = append(ref[step.name], w), append(theirs[step.name], c)
				}
			}
			for _, step := range []string{"start", "no-op start", "stop"} {
				row(name+" "+step+", wall", wall[step], ref[step], "s")
				row(name+" "+step+", processor", mine[step], theirs[step], "s")
			}
			destroyed := seconds(func() { s.Berth("delete", "w", "-y") })
			row(name+" destroy, wall", []float64{destroyed}, []float64{seconds(plain.destroy)}, "s")
		})
	}
}

// bench is a server, the directory of a starter template, and what has to be said
// to push it and to apply it by hand.
func bench(t *testing.T, kind, warm string) (s *harness.Server, dir string, push, vars []string) {
	o := harness.Options{Args: []string{"--warm-plugins", warm}}
	if kind == "docker" {
		image := harness.Image(t)
		o.Host, o.Args = harness.BridgeIP(t), append(o.Args, "--slots", "8", "--plugin-mirror", harness.Plugins())
		push, vars = []string{"--variable", "image=" + image}, []string{"-var", "image=" + image}
	}
	return harness.Start(t, o), filepath.Join(harness.Root(), "templates", kind), push, vars
}

// plain is a template's directory, run by terraform alone.
type plain struct {
	t    testing.TB
	dir  string
	env  []string
	vars []string
}

func newPlain(t testing.TB, s *harness.Server, template string, vars []string) *plain {
	dir := harness.Dir(t)
	files, err := filepath.Glob(filepath.Join(template, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no template in %s: %v", template, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o644)
	}
	// One mirror with our plugin and those of make tools.
	mirror := filepath.Join(dir, "mirror")
	for _, m := range []string{filepath.Join(s.Data, "work", "mirror"), harness.Plugins()} {
		if _, err := os.Stat(m); err == nil {
			if out, err := exec.Command("cp", "-al", m+"/.", mirror).CombinedOutput(); err != nil {
				os.MkdirAll(mirror, 0o755)
				if out2, err := exec.Command("cp", "-a", m+"/.", mirror).CombinedOutput(); err != nil {
					t.Fatalf("%s %s", out, out2)
				}
			}
		}
	}
	rc := filepath.Join(dir, "rc")
	os.WriteFile(rc, []byte(fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)), 0o644)
	id := "11111111-1111-4111-8111-111111111111"
	p := &plain{t: t, dir: dir, vars: vars}
	p.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"BERTH_HOST_PROCESSES=allowed", "BERTH_PROCESS_ROOT="+filepath.Join(dir, "processes"),
		"CODER_AGENT_URL=http://127.0.0.1:1/", "CODER_WORKSPACE_ID="+id, "CODER_WORKSPACE_NAME=plain",
		"CODER_AGENT_SCRIPT_linux_amd64=trap 'exit 0' TERM; while :; do sleep 0.1; done")
	os.Mkdir(filepath.Join(dir, "processes"), 0o711)
	t.Cleanup(func() { harness.KillUnder(dir) })
	return p
}

func (p *plain) terraform(transition string, args ...string) float64 {
	p.t.Helper()
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = p.dir, append(p.env, "CODER_WORKSPACE_TRANSITION="+transition)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}

// apply is the reference: what somebody without Berth types.
func (p *plain) apply(transition string) (wall, cpu float64) {
	os.RemoveAll(filepath.Join(p.dir, ".terraform"))
	os.Remove(filepath.Join(p.dir, ".terraform.lock.hcl"))
	wall = seconds(func() {
		cpu = p.terraform(transition, "init", "-input=false")
		cpu += p.terraform(transition, append([]string{"apply", "-auto-approve", "-input=false"}, p.vars...)...)
	})
	return wall, cpu
}

// plans is what an import asks of terraform.
func (p *plain) plans() float64 {
	return seconds(func() {
		p.terraform("start", "init", "-input=false")
		for _, transition := range []string{"start", "stop"} {
			p.terraform(transition, append([]string{"plan", "-input=false"}, p.vars...)...)
		}
	})
}

func (p *plain) destroy() {
	p.terraform("destroy", append([]string{"destroy", "-auto-approve", "-input=false"}, p.vars...)...)
}
