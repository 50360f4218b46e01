package shell

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: there is no %s on this machine", program)
		}
	}
}

// noisy writes a file of noise and gives its contents.
func noisy(t *testing.T, path string, size int64) []byte {
	t.Helper()
	content, _ := io.ReadAll(noise(size))
	if err := os.WriteFile(path, content, 0o640); err != nil {
		t.Fatal(err)
	}
	return content
}

func same(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, %v; want the %d that were sent", path, len(got), err, len(want))
	}
}

func TestSCP(t *testing.T) {
	t.Parallel()
	need(t, "scp")
	p := newPlace(t)
	local := filepath.Join(p.dir, "local")
	want := noisy(t, local, 5<<20)
	for _, mode := range []string{"-s", "-O"} {
		there, back := "there"+mode, filepath.Join(p.dir, "back"+mode)
		p.out(p.command("scp", mode, "-p", local, "ws:"+there))
		same(t, filepath.Join(p.home, there), want)
		p.out(p.command("scp", mode, "ws:"+there, back))
		same(t, back, want)
		os.MkdirAll(filepath.Join(p.dir, "tree/a/b"), 0o755)
		noisy(t, filepath.Join(p.dir, "tree/a/b/file"), 100)
		p.out(p.command("scp", mode, "-r", filepath.Join(p.dir, "tree"), "ws:tree"+mode))
		same(t, filepath.Join(p.home, "tree"+mode, "a/b/file"), want[:100])
	}
}

func TestSFTP(t *testing.T) {
	t.Parallel()
	need(t, "sftp")
	p := newPlace(t)
	want := noisy(t, filepath.Join(p.dir, "local"), 3<<20)
	cmd := p.command("sftp", "-b", "-", "ws")
	cmd.Stdin = strings.NewReader("pwd\nput local remote\nmkdir d\nrename remote d/moved\nchmod 600 d/moved\nls d\nget d/moved back\nsymlink d/moved link\nrm link\n")
	out := p.out(cmd)
	if !strings.Contains(out, "Remote working directory: "+p.home+"\n") || !strings.Contains(out, "d/moved") {
		t.Errorf("%s", out)
	}
	same(t, filepath.Join(p.dir, "back"), want)
	if info, err := os.Stat(filepath.Join(p.home, "d/moved")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	cmd = p.command("sftp", "-b", "-", "ws")
	cmd.Stdin = strings.NewReader("get missing\n")
	if exitCode(cmd.Run()) == 0 {
		t.Error("a missing file was got")
	}
}

func TestRsync(t *testing.T) {
	t.Parallel()
	need(t, "rsync")
	p := newPlace(t)
	source := filepath.Join(p.dir, "source")
	os.MkdirAll(filepath.Join(source, "sub"), 0o755)
	want := map[string][]byte{}
	for i := range 30 {
		name := fmt.Sprintf("sub/%d", i)
		want[name] = noisy(t, filepath.Join(source, name), int64(i)*50_000)
	}
	rsync := func(args ...string) {
		t.Helper()
		cmd := p.command("rsync")
		cmd.Args = append([]string{"rsync", "-a", "--delete", "-e", "ssh -F " + p.config}, args...)
		p.out(cmd)
	}
	rsync(source+"/", "ws:there/")
	os.Remove(filepath.Join(source, "sub/3"))
	delete(want, "sub/3")
	want["sub/4"] = noisy(t, filepath.Join(source, "sub/4"), 70_000)
	rsync(source+"/", "ws:there/")
	rsync("ws:there/", filepath.Join(p.dir, "back"))
	for name, content := range want {
		same(t, filepath.Join(p.dir, "back", name), content)
	}
	if _, err := os.Stat(filepath.Join(p.home, "there/sub/3")); err == nil {
		t.Error("a deleted file stayed")
	}
}

func TestGit(t *testing.T) {
	t.Parallel()
	need(t, "git")
	p := newPlace(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := p.command("git")
		cmd.Args = append([]string{"git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main"}, args...)
		cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND=ssh -F "+p.config, "GIT_CONFIG_GLOBAL=/dev/null")
		return p.out(cmd)
	}
	git("init", "-q", "--bare", filepath.Join(p.home, "repo.git"))
	git("clone", "-q", "ws:repo.git", "clone")
	want := noisy(t, filepath.Join(p.dir, "clone/file"), 4<<20)
	git("-C", "clone", "add", "file")
	git("-C", "clone", "commit", "-q", "-m", "one")
	git("-C", "clone", "push", "-q", "origin", "HEAD:main")
	git("clone", "-q", "-b", "main", "ws:repo.git", "again")
	same(t, filepath.Join(p.dir, "again/file"), want)
}
