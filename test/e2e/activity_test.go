package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/berthdev/berth/test/harness"
)

// seenOf is what `berth show --json` says of a workspace's use.
type seenOf struct {
	Activity struct {
		Awake    bool
		Newest   *struct{ Kind string }
		Evidence []struct{ Kind, Detail string }
		Holds    []struct{ Reason, By string }
	}
}

func (s seenOf) has(kind string) bool {
	for _, e := range s.Activity.Evidence {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// What keeps a workspace awake, and what does not, with real programs.
func TestActivity(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	main, err := os.ReadFile(filepath.Join(starter("process"), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(main), "    GREETING = data", "    BERTH_KEEP_AWAKE_PROCESSES = \"nothing, sleep 4242\"\n    GREETING = data", 1)
	s.Template("process", map[string]string{"main.tf": text})
	s.Berth("create", "web", "-t", "process", "-y")
	ssh := s.OpenSSH()
	const host = "web.berth"
	look := func() (seen seenOf) {
		t.Helper()
		s.JSON(&seen, "show", "web")
		return seen
	}

	// A connection on which nothing moves.
	idle := ssh.Command("-N", host)
	if err := idle.Start(); err != nil {
		t.Fatal(err)
	}
	defer idle.Process.Kill()
	harness.Eventually(t, time.Minute, func() string {
		if seen := look(); !seen.has("connection") {
			return fmt.Sprintf("the open connection is not seen: %+v", seen)
		}
		return ""
	})
	if seen := look(); seen.Activity.Awake || seen.Activity.Newest != nil {
		t.Errorf("an open connection is activity: %+v", seen)
	}
	if out := s.Berth("show", "web"); !strings.Contains(out, "a connection is open and idle, which is no activity") {
		t.Errorf("show says:\n%s", out)
	}
	s.Berth("organizations", "edit", "default", "--idle-counts=true")
	if out := s.Berth("show", "web"); !strings.Contains(out, "kept awake by an open connection") {
		t.Errorf("where idle connections count, show says:\n%s", out)
	}
	s.Berth("organizations", "edit", "default", "--idle-counts=false")

	t.Run("holds", func(t *testing.T) {
		s.Berth("hold", "web", "2h", "--reason", "training")
		out := s.Berth("show", "web")
		if !regexp.MustCompile(`held until (\d+ \w+ )?\d\d:\d\d by admin: training`).MatchString(out) {
			t.Errorf("show says:\n%s", out)
		}
		if out := ssh.Run(host, "coder hold 30m --reason build && berth hold list"); !strings.Contains(out, "web is held until") || !strings.Contains(out, "training") {
			t.Errorf("within the workspace: %s", out)
		}
		s.Fails([]string{"at most 24 h"}, "hold", "web", "25h")
		s.Fails([]string{"web has 2 holds"}, "hold", "release", "web")
		var holds []struct{ ID, Reason string }
		s.JSON(&holds, "hold", "list", "web")
		if len(holds) != 2 || holds[0].Reason != "training" || holds[1].Reason != "build" {
			t.Fatalf("holds %+v", holds)
		}
		s.Berth("hold", "release", "web", holds[0].ID)
		ssh.Run(host, "berth hold release --all")
		if out := s.Berth("hold", "list", "web", "--json"); strings.TrimSpace(out) != "[]" {
			t.Errorf("after both were released: %s", out)
		}
	})

	t.Run("typing", func(t *testing.T) {
		f, err := pty.Start(ssh.Command("-tt", host))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		go func() {
			for {
				if _, err := f.Read(make([]byte, 4096)); err != nil {
					return
				}
			}
		}()
		f.Write([]byte("echo hello\n"))
		harness.Eventually(t, 30*time.Second, func() string {
			out := s.Berth("show", "web")
			if !regexp.MustCompile(`kept awake by an SSH session since \d\d:\d\d`).MatchString(out) || !strings.Contains(out, "(an SSH session)") {
				return "show says:\n" + out
			}
			return ""
		})
	})

	t.Run("a named process", func(t *testing.T) {
		if look().has("process") {
			t.Fatal("a process is seen before it runs")
		}
		ssh.Run(host, "setsid sleep 4242 >/dev/null 2>&1 </dev/null & echo started")
		harness.Eventually(t, 50*time.Second, func() string {
			if seen := look(); !seen.has("process") {
				return fmt.Sprintf("the process is not seen: %+v", seen)
			}
			return ""
		})
	})

	// What was seen outlives the server and its agent.
	s.Signal(syscall.SIGTERM)
	s.Run()
	if seen := look(); !seen.has("process") || !seen.has("ssh") {
		t.Errorf("after a restart of the server: %+v", seen)
	}
	s.Berth("stop", "web", "-y")
	if seen := look(); seen.Activity.Awake || !seen.has("ssh") {
		t.Errorf("after a stop: %+v", seen)
	}
	s.Fails([]string{"start it with berth start web"}, "hold", "web", "1h")
}

// What a container may use, and not the machine around it, as the engine says.
func TestStatInDocker(t *testing.T) {
	t.Parallel()
	image := harness.Image(t)
	agent := harness.Bin(t, "berth-agent-linux-amd64")
	stat := func(args string) string {
		t.Helper()
		run := append([]string{"run", "--rm", "--memory", "256m", "--cpus", "0.5", "-v", agent + ":/coder:ro", "--entrypoint", "/coder", image, "stat"}, strings.Fields(args)...)
		out, err := exec.Command("docker", run...).CombinedOutput()
		if strings.Contains(string(out), "cgroup is not mounted") || strings.Contains(string(out), "does not support") {
			t.Skipf("SKIPPED: this engine cannot limit a container: %s", out)
		}
		if err != nil {
			t.Fatalf("stat %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for args, want := range map[string]string{
		"cpu":                   `^0(\.\d)?/0\.5 cores \(\d+%\)$`,
		"mem --prefix Mi":       `^[\d.]+/256 MiB \(\d+%\)$`,
		"mem --json":            `"total":268435456,"unit":"B"`,
		"cpu --host":            `^[\d.]+/\d+ cores`,
		"disk --path / -o json": `"unit":"B"`,
		"":                      `0\.5 cores .*0\.2 GiB`,
	} {
		if got := stat(args); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("stat %s: %q, want %s", args, got, want)
		}
	}
	if machine := stat("mem --host --prefix Mi"); strings.Contains(machine, "/256 MiB") {
		t.Errorf("the machine's memory: %s", machine)
	}
}
