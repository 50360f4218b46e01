package shell

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCurrentUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shell := filepath.Join(dir, "mysh")
	os.WriteFile(shell, nil, 0o755)
	noShell := filepath.Join(dir, "nologin")
	os.WriteFile(noShell, nil, 0o755)
	entry := passwd("/etc/passwd", "0")
	if entry.Name != "root" || entry.Home == "" || entry.Shell == "" {
		t.Errorf("root is %+v", entry)
	}
	if got := passwd("/etc/passwd", "987654"); got != (User{}) {
		t.Errorf("nobody is %+v", got)
	}
	if got := passwd("/does/not/exist", "0"); got != (User{}) {
		t.Errorf("without a file: %+v", got)
	}
	got := CurrentUser([]string{"HOME=" + dir, "SHELL=" + shell, "USER=ann"})
	if got != (User{Name: "ann", Home: dir, Shell: shell}) {
		t.Errorf("%+v", got)
	}
	for _, env := range [][]string{nil, {"HOME=/does/not/exist", "SHELL=" + noShell}, {"HOME=relative", "SHELL=sh"}} {
		got := CurrentUser(env)
		if !isDir(got.Home) || !usable(got.Shell) || got.Name == "" {
			t.Errorf("%v: %+v", env, got)
		}
	}
}
