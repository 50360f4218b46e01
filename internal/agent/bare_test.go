package agent

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// copyFile copies a program to where other users can run it.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	os.MkdirAll(filepath.Dir(to), 0o755)
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// runBare runs an agent with env and attr until its script said "end", and
// gives what the script said.
func runBare(t *testing.T, program, script string, attr *syscall.SysProcAttr, env ...string) string {
	t.Helper()
	r := &relay{script: script}
	server := httptest.NewServer(r)
	defer server.Close()
	cmd := exec.Command(program, "agent")
	cmd.Env = append(env, "AGENT_TEST_MAIN=1", "BERTH_AGENT_URL="+server.URL, "BERTH_AGENT_TOKEN=secret")
	cmd.SysProcAttr, cmd.Dir = attr, "/"
	said := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(syscall.SIGTERM)
	for end := time.Now().Add(20 * time.Second); !strings.Contains(r.said(), "end"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the script did not end: %q\n%s", r.said(), said.String())
		}
	}
	return r.said()
}

// openDir is a directory that every user can enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bare")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	return dir
}

func TestUserWithoutName(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can become another user")
	}
	dir := openDir(t)
	self, _ := os.Executable()
	program := filepath.Join(dir, "agent")
	copyFile(t, self, program)
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	tmp := filepath.Join(dir, "tmp")
	os.Mkdir(tmp, 0o777)
	os.Chmod(tmp, 0o777)
	for _, env := range [][]string{{"TMPDIR=" + tmp}, {"TMPDIR=" + tmp, "HOME=/does/not/exist", "SHELL=/usr/sbin/nologin"}} {
		got := runBare(t, program, `echo $(id -u) $USER $HOME $PWD; touch $CODER_SCRIPT_DATA_DIR/x && command -v berth; echo end`, attr, env...)
		want := "54321 54321 / /\n" + tmp + "/berth-agent-a1/bin/berth\nend"
		if got != want {
			t.Errorf("%v: %q, want %q", env, got, want)
		}
	}
}

// An image with a shell and hardly anything else: no /proc, /tmp or /etc.
func TestBareImage(t *testing.T) {
	t.Parallel()
	busybox, err := exec.LookPath("busybox")
	if os.Getuid() != 0 || err != nil {
		t.Skip("SKIPPED: needs root and busybox")
	}
	root := openDir(t)
	build := exec.Command("go", "build", "-o", filepath.Join(root, "agent"), "github.com/berthdev/berth/cmd/berth-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	copyFile(t, busybox, filepath.Join(root, "bin/busybox"))
	os.Symlink("busybox", filepath.Join(root, "bin/sh"))
	os.Mkdir(filepath.Join(root, "dev"), 0o755)
	os.WriteFile(filepath.Join(root, "dev/null"), nil, 0o666)
	check := exec.Command("/bin/sh", "-c", "true")
	check.SysProcAttr, check.Dir = &syscall.SysProcAttr{Chroot: root}, "/"
	if check.Run() != nil {
		t.Skip("SKIPPED: this busybox needs libraries")
	}
	got := runBare(t, "/agent", "echo $HOME $SHELL $PWD; echo end", &syscall.SysProcAttr{Chroot: root})
	if !strings.HasSuffix(got, "/ /bin/sh /\nend") {
		t.Errorf("%q", got)
	}
}
