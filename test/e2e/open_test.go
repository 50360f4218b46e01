package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth/test/harness"
)

// berth open with programs that note how they are called: the workspace is
// started, OpenSSH is set up, and what the editor is given works with OpenSSH.
func TestOpenInEditors(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	s.Berth("stop", "hello", "-y")
	dir := harness.Dir(t)
	calls, config := filepath.Join(dir, "calls"), filepath.Join(dir, "config")
	for _, name := range []string{"code", "zed", "xdg-open"} {
		script := "#!/bin/sh\necho " + name + ` "$@" >>` + calls + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	open := func(args ...string) (called, said string) {
		t.Helper()
		cmd := exec.Command(harness.Bin(t, "berth"), append([]string{"open"}, append(args, "--ssh-config-file", config, "-y")...)...)
		cmd.Env = append(s.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out := run(t, cmd)
		b, _ := os.ReadFile(calls)
		os.Remove(calls)
		return strings.TrimSpace(string(b)), out
	}

	called, said := open("vscode", "hello")
	host, home, ok := strings.Cut(strings.TrimPrefix(called, "code --folder-uri vscode-remote://ssh-remote+"), "/")
	if !ok || host != "hello.berth" || !strings.Contains(said, "hello is stopped; starting it") {
		t.Fatalf("called %q, said %s", called, said)
	}
	home = "/" + home
	if w := look(s, "hello"); w.Build.Reason != "vscode_connection" || w.Status != "running" {
		t.Errorf("it is %+v", w)
	}
	ssh := exec.Command("ssh", "-F", config, host, "pwd; mkdir -p src")
	ssh.Env = s.Environ()
	if out := run(t, ssh); strings.TrimSpace(out) != home {
		t.Errorf("the editor was given %s, sessions begin in %s", home, out)
	}
	if called, _ := open("zed", "hello", "src"); called != "zed ssh://hello.berth"+home+"/src" {
		t.Errorf("called %q", called)
	}
	if called, _ := open("cursor", "hello", "~/src"); !strings.HasPrefix(called, "xdg-open cursor://vscode-remote/ssh-remote+hello.berth/") || !strings.HasSuffix(called, "/src") {
		t.Errorf("called %q", called)
	}
	if called, said := open("jetbrains", "hello", "--link"); called != "" || !strings.HasPrefix(said, "jetbrains://gateway/ssh/environment?h=hello.berth&ideHint=IU") {
		t.Errorf("called %q, said %s", called, said)
	}
}
