package runner

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/plugin"
)

// coderBinary builds berth-plugin once for all tests that want real plugins.
var coderBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "berth-runner-plugin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "berth-plugin")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/berthdev/berth/cmd/berth-plugin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

// warmBench is a bench whose runner keeps plugins.
func warmBench(t *testing.T) *bench {
	t.Helper()
	needTerraform(t)
	path, err := coderBinary()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	if err := plugin.Install(filepath.Join(b.work, "mirror"), func(string) (io.Reader, error) { return os.Open(path) }); err != nil {
		t.Fatal(err)
	}
	b.opt.Warm = true
	return b
}

// slotHolders are the processes with slots of a bench.
func (b *bench) slotHolders() (pids []process) {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range found {
		line, _ := os.ReadFile(path)
		var pid int
		if strings.Contains(string(line), filepath.Join(b.work, "warm")) && strings.HasPrefix(string(line), "berth-plugin\x00slots\x00") {
			pid = pidOf(path)
		}
		if p, ok := readProcess(pid); ok && pid > 0 && p.state != 'Z' {
			pids = append(pids, p)
		}
	}
	return pids
}

func pidOf(path string) (pid int) {
	for _, c := range filepath.Base(filepath.Dir(path)) {
		pid = pid*10 + int(c-'0')
	}
	return pid
}

const warmTemplate = `
terraform {
  required_providers { coder = { source = "coder/coder" } }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "a" { input = data.coder_workspace.me.name }
`

func warmJob(name string, state []byte) api.Job {
	return api.Job{State: state, Env: map[string]string{"CODER_WORKSPACE_NAME": name, "CODER_WORKSPACE_ID": "11111111-2222-4333-8444-555555555555", "CODER_AGENT_URL": "http://localhost:1"}}
}

func TestBuildsShareWarmPlugins(t *testing.T) {
	t.Parallel()
	b := warmBench(t)
	b.setArchive(map[string]string{"main.tf": warmTemplate})
	b.runReal(t)
	holder := 0
	for _, name := range []string{"one", "two"} {
		build := b.enqueueJob(warmJob(name, nil))
		f := build.wait(t)
		if f.Error != "" || !strings.Contains(string(f.State), `"`+name+`"`) {
			t.Fatalf("%s: %s\n%s", name, f.Error, b.logText(build))
		}
		if text := b.logText(build); strings.Contains(text, "started for this build alone") {
			t.Errorf("not warm:\n%s", text)
		}
		holders := b.slotHolders()
		if len(holders) != 1 || holder != 0 && holders[0].pid != holder {
			t.Errorf("processes with slots: %v, before %d", holders, holder)
		}
		if len(holders) == 1 {
			holder = holders[0].pid
		}
		if env, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(holder), "environ")); strings.Contains(string(env), "CODER_") {
			t.Error("the environment of a build is that of the process")
		}
	}
	b.clean(t)
}

// A version that may not be warm is built all the same, and its log says why.
func TestColdSaysWhy(t *testing.T) {
	t.Parallel()
	b := warmBench(t)
	b.setArchive(map[string]string{"main.tf": warmTemplate + "resource \"terraform_data\" \"b\" {\n provisioner \"local-exec\" {\n  command = \"true\"\n }\n}\n"})
	b.runReal(t)
	build := b.enqueueJob(warmJob("one", nil))
	if f := build.wait(t); f.Error != "" {
		t.Fatal(f.Error)
	}
	if text := b.logText(build); !strings.Contains(text, "started for this build alone: main.tf:12: a provisioner runs commands of the host.") {
		t.Errorf("the log does not say why:\n%s", text)
	}
}

// A process with slots that is killed costs its builds, and no others: the next
// build gets another.
func TestSlotsThatDie(t *testing.T) {
	t.Parallel()
	b := warmBench(t)
	b.setArchive(map[string]string{"main.tf": warmTemplate})
	b.runReal(t)
	if f := b.enqueueJob(warmJob("one", nil)).wait(t); f.Error != "" {
		t.Fatal(f.Error)
	}
	for _, p := range b.slotHolders() {
		p.signal(syscall.SIGKILL)
	}
	eventually(t, "the end of the process", func() bool { return len(b.slotHolders()) == 0 })
	if f := b.enqueueJob(warmJob("two", nil)).wait(t); f.Error != "" {
		t.Errorf("after it: %s", f.Error)
	}
}

// A runner that ends leaves no plugins behind, but those of a build that runs on.
func TestWarmPluginsOutliveTheirRunnerForTheirBuild(t *testing.T) {
	t.Parallel()
	b := warmBench(t)
	b.setArchive(map[string]string{"main.tf": warmTemplate})
	judge := make(chan struct{})
	b.do(func() { b.block["judge"] = judge })
	build := b.enqueueJob(warmJob("one", nil))
	stop := b.runReal(t)
	eventually(t, "a question", func() bool {
		found, _ := filepath.Glob(filepath.Join(b.dir, "builds", "*", fileJudge))
		return len(found) == 1
	})
	holders := b.slotHolders()
	stop()
	if len(holders) != 1 || len(b.slotHolders()) != 1 {
		t.Fatal("the slots of a running build ended with the runner")
	}
	b.do(func() { delete(b.block, "judge") })
	close(judge)
	stop = b.runReal(t)
	if f := build.wait(t); f.Error != "" || !strings.Contains(string(f.State), `"one"`) {
		t.Errorf("the build: %s", f.Error)
	}
	eventually(t, "the end of the first process with slots", func() bool { _, ok := readProcess(holders[0].pid); return !ok })
	if f := b.enqueueJob(warmJob("two", nil)).wait(t); f.Error != "" {
		t.Errorf("the next build: %s", f.Error)
	}
	stop()
	eventually(t, "the end of all plugins", func() bool {
		left, _ := os.ReadDir(filepath.Join(b.work, "warm"))
		return len(b.slotHolders()) == 0 && len(left) == 0
	})
}
