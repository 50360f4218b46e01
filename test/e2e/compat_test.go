package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// oldestAgent is the commit of the oldest agent that this server has to get on
// with. It moves on with each release: docs/health.md says how.
const oldestAgent = "5029c20"

// agentOf builds the agent as it was at a commit.
func agentOf(t *testing.T, commit string) string {
	t.Helper()
	harness.Need(t, "git", "go", "tar")
	tree := t.TempDir()
	archive := exec.Command("git", "archive", "--format=tar", commit)
	archive.Dir = harness.Root()
	unpack := exec.Command("tar", "-x", "-C", tree)
	var errs bytes.Buffer
	archive.Stderr = &errs
	pipe, err := archive.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	unpack.Stdin = pipe
	if err := archive.Start(); err != nil {
		t.Fatal(err)
	}
	unpacked, unpackErr := unpack.CombinedOutput()
	if err := archive.Wait(); err != nil {
		t.Skipf("SKIPPED: the commit %s of the oldest supported agent is not in this clone (%s); git fetch --unshallow brings it", commit, strings.TrimSpace(errs.String()))
	}
	if unpackErr != nil {
		t.Fatalf("unpacking %s: %v\n%s", commit, unpackErr, unpacked)
	}
	built := filepath.Join(t.TempDir(), "berth-agent")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/berthdev/berth.Release="+commit, "-o", built, "./cmd/berth-agent")
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the agent of %s: %v\n%s", commit, err, out)
	}
	return agentBinary(t, built)
}

// The agent of the oldest supported release under this server: people notice
// nothing but that they are told to restart.
func TestOldestAgentGetsOn(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	old, now := agentOf(t, oldestAgent), ownAgent(t)
	s := harness.Start(t, harness.Options{})
	pushAnAgent(t, s)
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+old, "--parameter", "url="+s.URL)
	ssh := s.OpenSSH()
	if got := ssh.Run("web.berth", "echo in; for i in $(seq 50); do [ -e started ] && break; sleep 0.2; done; cat started"); got != "in\nstarted\n" {
		t.Errorf("ssh: %q", got)
	}
	s.Berth("ping", "web")
	harness.Eventually(t, 30*time.Second, func() string {
		show := s.Berth("show", "web")
		if strings.Contains(show, "health ") || !strings.Contains(show, "main: the agent ("+oldestAgent+") is older than the server") || !strings.Contains(show, "restart to update") {
			return show
		}
		return ""
	})
	var w struct {
		Healthy bool
		Agents  []struct{ Lifecycle, Status, Version string }
	}
	s.JSON(&w, "show", "web")
	if !w.Healthy || len(w.Agents) != 1 || w.Agents[0].Lifecycle != "ready" || w.Agents[0].Status != "connected" || w.Agents[0].Version != oldestAgent {
		t.Errorf("%+v", w)
	}
	harness.Eventually(t, 30*time.Second, func() string {
		if got := s.Berth("logs", "web.main"); !strings.Contains(got, "started") {
			return "the log of the start script: " + got
		}
		return ""
	})

	s.Berth("stop", "web", "-y")
	s.Berth("start", "web", "--parameter", "agent="+now)
	if got := ssh.Run("web.berth", "cat started stopped"); got != "started\nstarted\nstopped\n" {
		t.Errorf("after a stop and a start with the new agent: %q", got)
	}
	if show := s.Berth("show", "web"); strings.Contains(show, "older than the server") {
		t.Errorf("the new agent:\n%s", show)
	}
}
