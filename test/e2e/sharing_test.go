package e2e

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// Two people in one workspace, each with an OpenSSH of their own. Whoever is
// unshared is out of it at once; whoever is not stays.
func TestSharedWorkspace(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "web", "-t", "process", "-y")
	bob, eve := s.Person("bob"), s.Person("eve")
	const host = "admin--web.berth"

	bob.Fails([]string{"there is no workspace admin/web"}, "show", "admin/web")
	s.Berth("sharing", "share", "web", "--user", "bob,eve")
	if out := bob.Berth("list", "--shared"); !strings.Contains(out, "admin/web") {
		t.Errorf("bob's list of what is shared:\n%s", out)
	}
	ssh := bob.OpenSSH()
	if out := strings.TrimSpace(ssh.Run(host, "berth", "whoami")); !strings.Contains(out, "admin") {
		t.Errorf("inside, bob is %q and not the owner", out)
	}
	hers := inside(t, eve.OpenSSH().Command(host, "echo in; cat"))
	his := inside(t, ssh.Command(host, "echo in; cat"))
	terminal := inside(t, exec.Command(harness.Bin(t, "berth"), "ssh", "admin/web", "--", "echo in; cat"), bob.Environ()...)

	began := time.Now()
	s.Berth("sharing", "remove", "web", "--user", "bob")
	for name, p := range map[string]*visit{"ssh": his, "berth ssh": terminal} {
		select {
		case <-p.ended:
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s ended after %v", name, took)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s goes on, unshared", name)
		}
	}
	if !strings.Contains(terminal.errs.String(), "is not shared with you any more") {
		t.Errorf("berth ssh says:\n%s", terminal.errs.String())
	}
	bob.Fails([]string{"there is no workspace admin/web"}, "show", "admin/web")
	if err := ssh.Command(host, "true").Run(); exitCode(err) != 255 {
		t.Errorf("bob comes in again: %v", err)
	}
	io.WriteString(hers.in, "still here\n")
	harness.Eventually(t, 30*time.Second, func() string {
		if !strings.Contains(hers.out.String(), "still here") {
			return "eve's shell does not answer: " + hers.out.String() + hers.errs.String()
		}
		return ""
	})
}

// visit is somebody in a workspace.
type visit struct {
	in        io.WriteCloser
	out, errs *lockedBuffer
	ended     chan struct{}
}

// inside runs a command that says "in" once it is there.
func inside(t *testing.T, cmd *exec.Cmd, env ...string) *visit {
	t.Helper()
	v := &visit{out: &lockedBuffer{}, errs: &lockedBuffer{}, ended: make(chan struct{})}
	if len(env) > 0 {
		cmd.Env = env
	}
	cmd.Stdout, cmd.Stderr = v.out, v.errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.in = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	go func() {
		cmd.Wait()
		close(v.ended)
	}()
	harness.Eventually(t, time.Minute, func() string {
		if !bytes.Contains([]byte(v.out.String()), []byte("in\n")) {
			return filepath.Base(cmd.Path) + " is not in yet: " + v.errs.String()
		}
		return ""
	})
	return v
}
