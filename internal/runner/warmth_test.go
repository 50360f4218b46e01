package runner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth/api"
)

// warmBench is a bench whose runner keeps plugins.
func warmBench(t *testing.T) *bench {
	t.Helper()
	needTerraform(t)
	b := newBench(t)
	b.withProbe(t)
	b.opt.Warm = true
	return b
}

// kept are the plugins that a bench's runner keeps.
func (b *bench) kept() (list []process) {
	found, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range found {
		if env, _ := os.ReadFile(path); !strings.Contains("\x00"+string(env), "\x00HOME="+filepath.Join(b.work, "warm")+"/") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if p, ok := readProcess(pid); ok && p.state != 'Z' {
			list = append(list, p)
		}
	}
	return list
}

const warmTemplate = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    probe = { source = "berthdev/probe" }
  }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "probe_thing" "a" { name = data.coder_workspace.me.name }
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
		holders := b.kept()
		if len(holders) != 1 || holder != 0 && holders[0].pid != holder {
			t.Errorf("plugins that are kept: %v, before %d", holders, holder)
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
	b.setArchive(map[string]string{"main.tf": warmTemplate + "resource \"probe_thing\" \"b\" {\n name = \"b\"\n provisioner \"local-exec\" {\n  command = \"true\"\n }\n}\n"})
	b.runReal(t)
	build := b.enqueueJob(warmJob("one", nil))
	if f := build.wait(t); f.Error != "" {
		t.Fatal(f.Error)
	}
	if text := b.logText(build); !strings.Contains(text, "started for this build alone: main.tf:16: a provisioner runs commands of the host.") {
		t.Errorf("the log does not say why:\n%s", text)
	}
}

// A plugin that is killed between two builds costs neither anything.
func TestKeptPluginsThatDie(t *testing.T) {
	t.Parallel()
	b := warmBench(t)
	b.setArchive(map[string]string{"main.tf": warmTemplate})
	b.runReal(t)
	if f := b.enqueueJob(warmJob("one", nil)).wait(t); f.Error != "" {
		t.Fatal(f.Error)
	}
	for _, p := range b.kept() {
		p.signal(syscall.SIGKILL)
	}
	eventually(t, "the end of the process", func() bool { return len(b.kept()) == 0 })
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
	holders := b.kept()
	stop()
	if len(holders) != 1 || len(b.kept()) != 1 {
		t.Fatal("the plugins of a running build ended with the runner")
	}
	b.do(func() { delete(b.block, "judge") })
	close(judge)
	stop = b.runReal(t)
	if f := build.wait(t); f.Error != "" || !strings.Contains(string(f.State), `"one"`) {
		t.Errorf("the build: %s", f.Error)
	}
	eventually(t, "the end of the first plugin", func() bool { _, ok := readProcess(holders[0].pid); return !ok })
	if f := b.enqueueJob(warmJob("two", nil)).wait(t); f.Error != "" {
		t.Errorf("the next build: %s", f.Error)
	}
	stop()
	eventually(t, "the end of all plugins", func() bool {
		left, _ := os.ReadDir(filepath.Join(b.work, "warm"))
		return len(b.kept()) == 0 && len(left) == 0
	})
}
