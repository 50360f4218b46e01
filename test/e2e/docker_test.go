package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

// The docker starter on a real engine: the container goes, the home stays,
// until delete.
func TestDockerWorkspaceLife(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	image := harness.Image(t)
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+image)
	s.Berth("create", "web", "-t", "docker", "-y")
	var w struct{ ID string }
	s.JSON(&w, "show", "web")
	ssh := s.OpenSSH()
	home := strings.TrimSpace(ssh.Run("web.berth", "pwd"))
	ssh.Run("web.berth", "echo kept > note; echo lost > /tmp/note")
	if got := docker(t, "ps", "-q", "--filter", "label=berth.workspace_id="+w.ID); got == "" {
		t.Error("no container carries the workspace's id")
	}

	s.Berth("stop", "web", "-y")
	if got := docker(t, "ps", "-aq", "--filter", "label=berth.workspace_id="+w.ID); got != "" {
		t.Errorf("after stop there is a container: %s", got)
	}
	s.Berth("start", "web")
	if got := ssh.Run("web.berth", "cat note; ls /tmp/note 2>/dev/null; pwd"); got != "kept\n"+home+"\n" {
		t.Errorf("after stop and start: %q", got)
	}

	s.Berth("rename", "web", "site")
	s.Berth("restart", "site", "-y")
	if got := ssh.Run("site.berth", "cat note"); got != "kept\n" {
		t.Errorf("after rename: %q", got)
	}

	docker(t, "kill", docker(t, "ps", "-q", "--filter", "label=berth.workspace_id="+w.ID))
	s.Berth("start", "site")
	if got := ssh.Run("site.berth", "cat note"); got != "kept\n" {
		t.Errorf("after a kill: %q", got)
	}

	s.Berth("delete", "site", "-y")
	if got := docker(t, "volume", "ls", "-q", "--filter", "label=berth.workspace_id="+w.ID); got != "" {
		t.Errorf("after delete there is a volume: %s", got)
	}
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
