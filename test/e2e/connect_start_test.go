package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/berthdev/berth/test/harness"
)

// seen is what a test looks at of a workspace.
type seen struct {
	Status string
	Build  struct {
		Number             int
		Reason, Transition string
	}
}

func look(s *harness.Server, name string) (w seen) {
	s.JSON(&w, "show", name)
	return w
}

// Connecting starts a stopped workspace, once, however many connect; people and
// organizations can turn that off, and a start that failed is not repeated.
func TestConnectionStartsWorkspace(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	const host = "hello.berth"

	s.Berth("stop", "hello", "-y")
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			var errs bytes.Buffer
			cmd := ssh.Command(host, "echo in")
			cmd.Stderr = &errs
			if out, err := cmd.Output(); err != nil || string(out) != "in\n" || !strings.Contains(errs.String(), "starting hello") {
				t.Errorf("client %d: %v %q %s", i, err, out, errs.String())
			}
		})
	}
	all.Wait()
	if w := look(s, "hello"); w.Build.Number != 3 || w.Build.Reason != "ssh_connection" || w.Status != "running" {
		t.Errorf("ten clients made of it %+v", w)
	}

	s.Berth("stop", "hello", "-y")
	if out, errs, code := s.Try("ssh", "hello", "--", "echo in"); code != 0 || out != "in\n" || !strings.Contains(errs, "hello is stopped; starting it") {
		t.Errorf("berth ssh: exit %d %q %q", code, out, errs)
	}

	refused := func(says string, args ...string) {
		t.Helper()
		out, errs, code := s.Try(append(args, "--", "echo in")...)
		if code != 255 || out != "" || !strings.Contains(errs, "hello is stopped: start it with berth start hello") || !strings.Contains(errs, says) {
			t.Errorf("%q: exit %d %q %q", args, code, out, errs)
		}
		if w := look(s, "hello"); w.Status != "stopped" {
			t.Errorf("%q: it is %s", args, w.Status)
		}
	}
	s.Berth("stop", "hello", "-y")
	refused("", "ssh", "hello", "--disable-autostart")
	s.Berth("edit", "hello", "--connect-starts=false")
	refused("berth edit", "ssh", "hello")
	s.Berth("edit", "hello", "--connect-starts")
	s.Berth("organizations", "edit", "default", "--connect-starts=false")
	refused("organization default", "ssh", "hello")
	if out, err := ssh.Command(host, "echo in").CombinedOutput(); exitCode(err) != 255 || !strings.Contains(string(out), "hello is stopped: start it with berth start hello") {
		t.Errorf("ssh: %v %s", err, out)
	}
	s.Berth("organizations", "edit", "default", "--connect-starts")
	quiet := filepath.Join(harness.Dir(t), "quiet")
	s.Berth("config-ssh", "-y", "--ssh-config-file", quiet, "--disable-autostart")
	cmd := exec.Command("ssh", "-F", quiet, host, "echo in")
	cmd.Env = s.Environ()
	if out, err := cmd.CombinedOutput(); exitCode(err) != 255 || !strings.Contains(string(out), "hello is stopped") {
		t.Errorf("ssh with --disable-autostart: %v %s", err, out)
	}
	ssh.Run(host, "true")
}

func TestConnectionDoesNotRepeatFailedStart(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Template("frail", map[string]string{"main.tf": `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "berth_process" "computer" {
  count     = data.coder_workspace.me.start_count
  command   = ["/no/such/program"]
  directory = "/no/such/folder"
}`})
	s.Try("create", "box", "-t", "frail", "-y")
	before := look(s, "box")
	out, errs, code := s.Try("ssh", "box", "--", "true")
	if code != 255 || !strings.Contains(errs, "failed") || !strings.Contains(errs, "berth logs box") || !strings.Contains(errs, "berth start box") {
		t.Errorf("exit %d %q %q", code, out, errs)
	}
	if after := look(s, "box"); after != before || before.Status != "failed" {
		t.Errorf("it was %+v and is %+v", before, after)
	}
}

// Who is connected when the workspace stops is told so.
func TestStopEndsConnections(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	ours := exec.Command(harness.Bin(t, "berth"), "ssh", "hello", "--", "echo in; cat")
	ours.Env = s.Environ()
	theirs := ssh.Command("hello.berth", "echo in; cat")
	type side struct {
		name string
		cmd  *exec.Cmd
		errs *lockedBuffer
		out  *lockedBuffer
	}
	sides := []side{{"berth ssh", ours, &lockedBuffer{}, &lockedBuffer{}}, {"ssh", theirs, &lockedBuffer{}, &lockedBuffer{}}}
	for _, c := range sides {
		hold, release, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { release.Close() })
		c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = hold, c.out, c.errs
		if err := c.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		hold.Close()
		harness.Eventually(t, 30*time.Second, func() string {
			if c.out.String() != "in\n" {
				return c.name + " is not in: " + c.errs.String()
			}
			return ""
		})
	}
	s.Berth("stop", "hello", "-y")
	for _, c := range sides {
		began := time.Now()
		code := exitCode(waitFor(t, c.cmd, 30*time.Second))
		if code != 255 || !strings.Contains(c.errs.String(), "hello ") || !strings.Contains(c.errs.String(), "stopped by admin (build 2, cli): the connection ended with it") {
			t.Errorf("%s: exit %d after %v, %q", c.name, code, time.Since(began), c.errs.String())
		}
	}
}

// Terminals begin with the banner of the server; start scripts that keep people
// out are waited for by OpenSSH too, which shows what for; one that fails lets
// people in.
func TestLoginWaitsAndGreets(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	banner := filepath.Join(harness.Dir(t), "banner")
	if err := os.WriteFile(banner, []byte("Down on Sunday\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, harness.Options{Args: []string{"--ssh-banner", "@" + banner}})
	s.Template("slow", map[string]string{"main.tf": slowStart})
	s.Berth("create", "slow", "-t", "slow", "-y")
	ssh := s.OpenSSH()
	var errs bytes.Buffer
	cmd := ssh.Command("slow.berth", "cat prepared")
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || string(out) != "yes\n" || !strings.Contains(errs.String(), "start scripts are running") || !strings.Contains(errs.String(), "did not end well") {
		t.Errorf("%v %q %s", err, out, errs.String())
	}

	shell := ssh.Command("-tt", "slow.berth")
	f, err := pty.Start(shell)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shown := &lockedBuffer{}
	go io.Copy(shown, f)
	harness.Eventually(t, 30*time.Second, func() string {
		if !strings.Contains(shown.String(), "Down on Sunday\r\n") {
			return shown.String()
		}
		return ""
	})
	io.WriteString(f, "exit\n")
	waitFor(t, shell, 10*time.Second)

	// What stands in for the shell now is no program.
	ssh.Run("slow.berth", "printf x >shell; chmod +x shell")
	if out, err := ssh.Command("slow.berth", "true").CombinedOutput(); exitCode(err) != 229 || !strings.Contains(string(out), "cannot start") {
		t.Errorf("a shell that cannot start: %v %s", err, out)
	}

}

const slowStart = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_provisioner" "me" {}
resource "berth_directory" "home" {
  name = "home"
}
resource "coder_agent" "main" {
  os                      = "linux"
  arch                    = data.coder_provisioner.me.arch
  startup_script_behavior = "blocking"
  startup_script          = "sleep 3; echo yes >prepared; exit 7"
  env                     = { SHELL = "${berth_directory.home.path}/shell" }
}
resource "berth_process" "computer" {
  count     = data.coder_workspace.me.start_count
  command   = ["sh", "-c", coder_agent.main.init_script]
  directory = berth_directory.home.path
  env = {
    HOME                 = berth_directory.home.path
    CODER_AGENT_TOKEN    = coder_agent.main.token
    BERTH_AGENT_BIN_DIR  = "${berth_directory.home.path}/.berth"
    BERTH_AGENT_DATA_DIR = "${berth_directory.home.path}/.berth/agent"
    BERTH_AGENT_LOG_DIR  = "${berth_directory.home.path}/.berth/log"
  }
}
`
