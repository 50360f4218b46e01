package runner

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/plugin"
)

const probed = `
terraform {
  required_providers {
    probe = { source = "berthdev/probe" }
  }
}
resource "probe_thing" "home" { name = "home" }
resource "probe_thing" "computer" {
  name       = "computer"
  depends_on = [probe_thing.home]
}
`

// binaries are our plugins and the probe of tests, built once.
var binaries = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "berth-runner-plugins-"); err != nil {
		return "", err
	}
	for _, room := range []string{"cmd/berth-plugin", "test/probe"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, filepath.Base(room)), "github.com/berthdev/berth/"+room)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", room, err, out)
		}
	}
	return dir, nil
})

// withProbe gives the bench the real plugins and the probe of tests.
func (b *bench) withProbe(t *testing.T) (world string) {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(bin, "berth-plugin")
	if err := plugin.Install(filepath.Join(b.work, "mirror"), func(string) (io.Reader, error) { return os.Open(ours) }); err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		at := filepath.Join(mirror, host, "berthdev/probe/1.0.0", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-probe_v1.0.0")
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(bin, "probe"), at); err != nil {
			t.Fatal(err)
		}
	}
	b.opt.Mirrors = []string{mirror}
	world = t.TempDir()
	b.opt.Env = map[string]string{"PROBE_DIR": world, "PROBE_WAIT": "400ms"}
	return world
}

// Whoever is killed while the second thing is being made, the keeper among
// them: what the server gets knows of both, and the next build goes on from it.
func TestKeeperKilledInFrontOfTheJournal(t *testing.T) {
	needTerraform(t)
	for name, terraformToo := range map[string]bool{"keeper": false, "keeper and terraform": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			world := b.withProbe(t)
			b.setArchive(map[string]string{"main.tf": probed})
			build := b.enqueueJob(api.Job{Env: map[string]string{}})
			b.runReal(t)
			eventually(t, "the second thing", func() bool {
				moments, _ := os.ReadFile(filepath.Join(world, "moments"))
				return strings.Contains(string(moments), "create computer")
			})
			killKeepers(b.dir)
			if terraformToo {
				for _, p := range leftovers(build.job.BuildID+".1", identity{}) {
					command, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "cmdline"))
					if strings.Contains(string(command), "terraform\x00apply") {
						p.signal(syscall.SIGKILL)
					}
				}
			}
			f := build.wait(t)
			if text := string(f.State); f.ErrorCode != berth.FailedLost || !strings.Contains(text, `"id": "home"`) || !strings.Contains(text, `"id": "computer"`) {
				t.Fatalf("finish: %q %q, state %s", f.ErrorCode, f.Error, f.State)
			}
			if !strings.Contains(f.Error, "seen through") {
				t.Errorf("people are told: %s", f.Error)
			}
			if left := leftovers(build.job.BuildID+".1", identity{}); len(left) > 0 {
				t.Errorf("left running: %v", left)
			}
			b.clean(t)
			remove := b.enqueueJob(api.Job{Transition: string(berth.Delete), State: f.State, Env: map[string]string{}})
			if f := remove.wait(t); f.Error != "" || len(f.Addresses) != 0 {
				t.Errorf("delete: %s, %v", f.Error, f.Addresses)
			}
			if left, _ := filepath.Glob(filepath.Join(world, "things", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
