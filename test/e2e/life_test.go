// Package e2e drives the real binaries with real parts: terraform, OpenSSH,
// Docker, PostgreSQL. Each test is something that a person would do.
package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// starter is the directory of a starter template.
func starter(name string) string { return filepath.Join(harness.Root(), "templates", name) }

func TestWorkspaceLife(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"), "-m", "first")
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()

	if got := s.Status("hello"); got != "running" {
		t.Fatalf("after create the workspace is %s", got)
	}
	if got := ssh.Run("hello.berth", "echo $BERTH_WORKSPACE_NAME $CODER_WORKSPACE_NAME; pwd"); !strings.HasPrefix(got, "hello hello\n/") {
		t.Errorf("in the workspace: %q", got)
	}
	ssh.Run("hello.berth", "echo kept > note; mkdir -p deep/er && echo too > deep/er/note")
	home := strings.TrimSpace(ssh.Run("hello.berth", "pwd"))

	s.Berth("stop", "hello", "-y")
	if got := s.Status("hello"); got != "stopped" {
		t.Fatalf("after stop the workspace is %s", got)
	}
	if code := s.Fails([]string{"berth start hello"}, "ssh", "--disable-autostart", "hello", "--", "true"); code == 0 {
		t.Error("ssh reached a stopped workspace")
	}
	s.Berth("start", "hello")
	if got := ssh.Run("hello.berth", "cat note deep/er/note"); got != "kept\ntoo\n" {
		t.Errorf("after stop and start the home has %q", got)
	}

	s.Berth("templates", "push", "process", "-d", starter("process"), "-m", "second")
	var w struct {
		Outdated bool
		Build    struct{ Number int }
	}
	s.JSON(&w, "show", "hello")
	if !w.Outdated {
		t.Error("the workspace is not outdated after a push")
	}
	s.Berth("update", "hello")
	s.JSON(&w, "show", "hello")
	if w.Outdated {
		t.Error("the workspace is outdated after an update")
	}
	if got := ssh.Run("hello.berth", "cat note"); got != "kept\n" {
		t.Errorf("after the update the home has %q", got)
	}

	s.Berth("restart", "hello", "-y")
	s.Berth("rename", "hello", "ahoy")
	s.Berth("restart", "ahoy", "-y")
	if got := ssh.Run("ahoy.berth", "cat note; echo $BERTH_WORKSPACE_NAME"); got != "kept\nahoy\n" {
		t.Errorf("after the rename the home has %q", got)
	}

	s.Berth("delete", "ahoy", "-y")
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("after delete the home is still at %s (%v)", home, err)
	}
	if out := s.Berth("list", "--json"); strings.Contains(out, "ahoy") {
		t.Errorf("a deleted workspace is listed: %s", out)
	}
	s.Fails([]string{"ahoy"}, "show", "ahoy")
	s.Berth("create", "ahoy", "-t", "process", "-y") // its name is free
}

func TestDeadProcessIsNoticedAndRestarted(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	ssh.Run("hello.berth", "echo kept > note")
	agent, err := strconv.Atoi(strings.TrimSpace(ssh.Run("hello.berth", "echo $PPID")))
	if err != nil {
		t.Fatal(err)
	}

	if err := syscall.Kill(agent, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, 40*time.Second, func() string {
		var w struct {
			Healthy bool
			Health  string `json:"health_reason"`
		}
		if s.JSON(&w, "show", "hello"); w.Healthy || w.Health == "" {
			return "the workspace is shown healthy though its agent is dead"
		}
		return ""
	})
	s.Berth("start", "hello")
	if got := ssh.Run("hello.berth", "cat note"); got != "kept\n" {
		t.Errorf("after the restart the home has %q", got)
	}
}

func TestServerRestartKeepsTheWorkspace(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	ssh.Run("hello.berth", "nohup sleep 300 >/dev/null 2>&1 & echo $! > pid")
	agent := ssh.Run("hello.berth", "echo $PPID")

	for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		s.Signal(how)
		s.Run()
		began := time.Now()
		harness.Eventually(t, 15*time.Second, func() string {
			if out, errs, code := s.Try("ping", "hello"); code != 0 {
				return out + errs
			}
			return ""
		})
		t.Logf("the agent was back %v after %v", time.Since(began).Round(time.Millisecond), how)
		if got := ssh.Run("hello.berth", "echo $PPID"); got != agent {
			t.Errorf("after %v the agent is another process: %s, was %s", how, got, agent)
		}
		ssh.Run("hello.berth", "kill -0 $(cat pid)")
	}
	ssh.Run("hello.berth", "kill $(cat pid)")
}
