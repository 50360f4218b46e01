package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// transitions are the builds of a workspace, the oldest first.
func transitions(t *testing.T, s *harness.Server, name string) (list []string) {
	t.Helper()
	var builds []struct{ Transition, Status, Reason string }
	s.JSON(&builds, "builds", "list", name)
	for _, b := range builds {
		list = append([]string{b.Transition + " " + b.Status + " " + b.Reason}, list...)
	}
	return list
}

// An update is one intent: editors that connect again all the time meet a
// stop or a start, never a stopped workspace that they could start on the old
// version. Answers are changed on the way, within what the template allows.
func TestUpdateIsNotRaced(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	starterWith := func(more string) map[string]string {
		main, err := os.ReadFile(filepath.Join(starter("process"), "main.tf"))
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"main.tf": string(main) + more}
	}
	asks := `
data "coder_parameter" "disk" {
  name    = "disk"
  type    = "number"
  default = 10
  mutable = true
  validation {
    min       = 1
    max       = 100
    monotonic = "increasing"
  }
}
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
}
`
	s.Template("box", starterWith(asks))
	s.Berth("create", "hello", "-t", "box", "-y")
	s.Berth("ssh", "hello", "--", "echo kept > note")
	s.Template("box", starterWith(asks+"# the second\n"))

	s.Fails([]string{"region", "cannot be changed"}, "update", "hello", "--parameter", "region=us")
	s.Fails([]string{"disk", "10 or more"}, "update", "hello", "--parameter", "disk=5")
	if got := s.Status("hello"); got != "running" {
		t.Fatalf("an update that was refused left it %s", got)
	}

	// Editors connect by the API as berth ssh does, without waiting for anything.
	var w struct{ ID string }
	s.JSON(&w, "show", "hello")
	token := strings.TrimSpace(s.Berth("tokens", "create", "editor"))
	over := make(chan struct{})
	var editors sync.WaitGroup
	for range 3 {
		editors.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				exec.Command("curl", "-sS", "-o", "/dev/null", "-X", "POST", "-H", "Authorization: Bearer "+token, "-H", "Content-Type: application/json",
					"-d", `{"transition":"start","reason":"vscode_connection"}`, s.URL+"/api/v1/workspaces/"+w.ID+"/builds").Run()
			}
		})
	}
	out, errs, code := s.Try("update", "hello", "--parameter", "disk=20")
	close(over)
	editors.Wait()
	if code != 0 {
		t.Fatalf("update: exit %d %s%s", code, out, errs)
	}
	want := "start succeeded cli, stop succeeded cli, start succeeded cli"
	if got := strings.Join(transitions(t, s, "hello"), ", "); got != want {
		t.Errorf("builds: %s", got)
	}
	var after struct {
		Outdated bool
		Build    struct{ Parameters map[string]string }
	}
	if s.JSON(&after, "show", "hello"); after.Outdated || after.Build.Parameters["disk"] != "20" || after.Build.Parameters["region"] != "eu" {
		t.Errorf("after the update: %+v", after)
	}
	if got := s.Berth("ssh", "hello", "--", "cat note"); got != "kept\n" {
		t.Errorf("the home: %q", got)
	}
}

// lingering takes its time to stop, and to start.
const lingering = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
resource "berth_directory" "home" {
  name = "home"
}
resource "terraform_data" "computer" {
  count = data.coder_workspace.me.start_count
  input = berth_directory.home.path
  provisioner "local-exec" {
    when    = destroy
    command = "touch ${self.output}/stopping; sleep 4"
  }
}
output "home" {
  value = berth_directory.home.path
}
`

// A restart goes on although its command line, the server and the server's host
// process die in the middle of it.
func TestRestartOutlivesTheServer(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("lingering", map[string]string{"main.tf": lingering})
	s.Berth("create", "w", "-t", "lingering", "-y")
	home := homeOf(t, s, "w")
	s.Berth("restart", "w", "--no-wait")
	harness.Eventually(t, 30*time.Second, func() string {
		if _, err := os.Stat(filepath.Join(home, "stopping")); err != nil {
			return "the stop is not in its apply: " + err.Error()
		}
		return ""
	})
	s.Signal(syscall.SIGKILL)
	s.Run()
	harness.Eventually(t, 60*time.Second, func() string {
		if got := strings.Join(transitions(t, s, "w"), ", "); got != "start succeeded cli, stop succeeded cli, start succeeded cli" {
			return "builds: " + got
		}
		return ""
	})
	if got := s.Status("w"); got != "running" {
		t.Errorf("it is %s", got)
	}

	// Who cancels the stop gets no start.
	os.Remove(filepath.Join(home, "stopping"))
	s.Berth("restart", "w", "--no-wait")
	harness.Eventually(t, 30*time.Second, func() string {
		if _, err := os.Stat(filepath.Join(home, "stopping")); err != nil {
			return "the stop is not in its apply: " + err.Error()
		}
		return ""
	})
	s.Berth("cancel", "w")
	harness.Eventually(t, 60*time.Second, func() string {
		if got := s.Status("w"); got == "canceling" {
			return got
		}
		return ""
	})
	if got := transitions(t, s, "w"); len(got) != 4 {
		t.Errorf("builds after the cancel: %q", got)
	}
	s.Berth("delete", "w", "-y")
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("after the delete there is the home: %v", err)
	}
}

// What a start made before it failed is known, and goes with the delete.
func TestHalfAppliedIsDeleted(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	files := map[string]string{"main.tf": slow + "output \"home\" {\n  value = berth_directory.home.path\n}\n"}
	s.Template("slow", files)
	s.Fails([]string{"exit status 1"}, "create", "w", "-t", "slow", "-y", "--parameter", "fail=true")
	var state struct {
		Resources []struct {
			Type      string
			Instances []struct{ Attributes struct{ Path string } }
		}
	}
	if err := json.Unmarshal([]byte(s.Berth("state", "pull", "w")), &state); err != nil {
		t.Fatal(err)
	}
	home := ""
	for _, r := range state.Resources {
		if r.Type == "berth_directory" {
			home = r.Instances[0].Attributes.Path
		}
	}
	if _, err := os.Stat(home); err != nil {
		t.Fatalf("the home that the failed start made: %v", err)
	}
	s.Berth("delete", "w", "-y")
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("the delete left %s: %v", home, err)
	}
}

// A rebuild with a newer image keeps the home and nothing else; the hooks run in
// their order, the image's as its user.
func TestRebuildKeepsTheHome(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	base := harness.Image(t)
	image := func(version string) string {
		name := "berth-rebuild-test:" + strings.ToLower(filepath.Base(filepath.Dir(t.TempDir()))) + "-" + version
		dir := harness.Files(t, map[string]string{
			"Dockerfile": "FROM " + base + "\nUSER root\nCOPY configure /coder/configure\nRUN chmod 755 /coder /coder/configure && mkdir -p /home/dev && chown dev /home/dev && echo " + version + " > /version\nUSER dev\n",
			"configure":  "#!/bin/sh\necho configure $(id -un) >> ~/order\n",
		})
		docker(t, "build", "-q", "-t", name, dir)
		t.Cleanup(func() { exec.Command("docker", "rmi", "-f", name).Run() })
		return name
	}
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins()}})
	push := func(image string) {
		s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+image, "--variable", "home=/home/dev")
	}
	push(image("one"))
	s.Berth("create", "web", "-t", "docker", "-y")
	started(t, s, "web")
	ssh := s.OpenSSH()
	ssh.Run("web.berth", "echo kept > note; echo lost > /tmp/note; rm order; printf '#!/bin/sh\\necho personalize $(id -un) >> ~/order\\n' > personalize; chmod +x personalize")
	push(image("two"))

	if code := s.Fails([]string{"Reset, with all that is in it: docker_container.", "Stays: docker_volume.home", "-y"}, "rebuild", "web"); code != 2 {
		t.Errorf("without a terminal and -y: exit %d", code)
	}
	work := ssh.Command("web.berth", "while echo working; do sleep 1; done")
	shown, err := work.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { work.Process.Kill(); work.Wait() }()
	if _, err := shown.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	s.Fails([]string{"web is in use (its last use (ssh)", "--force"}, "rebuild", "web", "-y")
	if got := ssh.Run("web.berth", "cat /version"); got != "one\n" {
		t.Fatalf("a rebuild that was refused made it %q", got)
	}
	s.Berth("rebuild", "web", "-y", "--force")
	steps := started(t, s, "web").steps()
	if len(steps) < 3 || steps[0] != "identity done" || steps[1] != "configure done" || !strings.HasPrefix(steps[2], "personalize done") {
		t.Errorf("steps: %q", steps)
	}
	if got := ssh.Run("web.berth", "cat note order /version; ls /tmp/note 2>/dev/null; true"); got != "kept\nconfigure dev\npersonalize dev\ntwo\n" {
		t.Errorf("after the rebuild: %q", got)
	}
	var records []struct {
		Action string
		Detail map[string]any
	}
	s.JSON(&records, "audit", "list", "kind:workspace", "action:rebuild")
	forced := false
	for _, r := range records {
		forced = forced || r.Detail["force"] == true
	}
	if !forced {
		t.Errorf("the record: %s", fmt.Sprint(records))
	}
}
