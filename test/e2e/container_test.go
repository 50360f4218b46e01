package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// container makes a workspace of the docker starter, changed by pairs of old
// and new text, and gives the id of its container.
func container(t *testing.T, s *harness.Server, name, image string, pairs ...string) (id func() string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(starter("docker"), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(pairs...).Replace(string(text))
	if changed == string(text) {
		t.Fatal("nothing was changed in the starter")
	}
	s.Template("docker", map[string]string{"main.tf": changed}, "--variable", "image="+image)
	s.Berth("create", name, "-t", "docker", "-y")
	var w struct{ ID string }
	s.JSON(&w, "show", name)
	return func() string { return docker(t, "ps", "-q", "--filter", "label=berth.workspace_id="+w.ID) }
}

// The agent as the first process of a container: it buries orphans, and a stop
// of the container runs the stop script within its grace.
func TestAgentAsInit(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	image := harness.Image(t)
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	id := container(t, s, "web", image, "init         = true", "init         = false",
		"  os   = \"linux\"\n", "  os   = \"linux\"\n  shutdown_script = \"sleep 1; echo in order >> stopped\"\n")
	ssh := s.OpenSSH()
	if got := ssh.Run("web.berth", "tr '\\0' ' ' </proc/1/cmdline"); !strings.Contains(got, "berth-agent") {
		t.Fatalf("the first process is %q", got)
	}
	ssh.Run("web.berth", "for i in $(seq 50); do sh -c 'sleep 0.1 & exit 0'; done; sleep 1")
	harness.Eventually(t, 30*time.Second, func() string {
		if got := ssh.Run("web.berth", "cat /proc/[0-9]*/stat | grep -c ' Z ' || true"); strings.TrimSpace(got) != "0" {
			return got + " zombies"
		}
		return ""
	})
	begin := time.Now()
	docker(t, "stop", "-t", "20", id())
	if took := time.Since(begin); took < time.Second || took > 15*time.Second {
		t.Errorf("docker stop took %v", took)
	}
	harness.Eventually(t, 40*time.Second, func() string {
		if show := s.Berth("show", "web"); !strings.Contains(show, "main: the agent is not running: berth start web brings it back") {
			return show
		}
		return ""
	})
	s.Berth("start", "web")
	if got := ssh.Run("web.berth", "cat stopped"); got != "in order\n" {
		t.Errorf("the stop script left %q", got)
	}
}

// A session that takes every process there is takes neither the agent nor the
// way out.
func TestForkBomb(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	image := harness.Image(t)
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	id := container(t, s, "web", image, "init         = true", "init         = false")
	ssh := s.OpenSSH()
	ssh.Run("web.berth", "true")
	const most = 150
	docker(t, "update", "--pids-limit", fmt.Sprint(most), id())
	stop := background(t, ssh.Command("web.berth", "awk 'BEGIN { while (1) system(\"sleep 3000 &\") }'"))
	defer stop()
	full := func() string {
		out := docker(t, "top", id(), "-eLo", "pid")
		if n := strings.Count(out, "\n"); n < most-2 {
			return fmt.Sprintf("%d threads", n)
		}
		return ""
	}
	harness.Eventually(t, 30*time.Second, full)
	for range 5 {
		s.Berth("ping", "web")
		time.Sleep(time.Second)
	}
	out, errs, code := s.Try("ssh", "web", "echo in")
	t.Logf("a session in the full workspace: %q %q %d", out, errs, code)
	if code != 0 && !strings.Contains(errs, "no room for another process") {
		t.Errorf("a session in the full workspace: %q %q %d", out, errs, code)
	}
	if show := s.Berth("show", "web"); !strings.Contains(show, "connected") {
		t.Errorf("the agent is gone:\n%s", show)
	}
	begin := time.Now()
	s.Berth("stop", "web", "-y")
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("the stop took %v", took)
	}
}
