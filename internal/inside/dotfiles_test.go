package inside

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is one of a person's dotfiles, in a temporary directory.
type repository struct {
	t    *testing.T
	path string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: there is no git on this machine")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+who+"_NAME", "a")
		t.Setenv("GIT_"+who+"_EMAIL", "a@b.c")
	}
	r := repository{t, filepath.Join(t.TempDir(), "dots")}
	r.git("init", "-q", "-b", "main", r.path)
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// commit writes a file of the repository, executable where mode says so.
func (r repository) commit(name, text string, mode os.FileMode) {
	r.t.Helper()
	path := filepath.Join(r.path, name)
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
	r.git("-C", r.path, "add", "-A")
	r.git("-C", r.path, "commit", "-qm", "change "+name)
}

// runDotfiles runs the command with a home, and gives what it said.
func runDotfiles(t *testing.T, home string, args ...string) (string, error) {
	t.Helper()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	var said bytes.Buffer
	cmd := dotfilesCommand()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(""))
	cmd.SetOut(&said)
	cmd.SetErr(&said)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return said.String(), err
}

func read(path ...string) string {
	text, _ := os.ReadFile(filepath.Join(path...))
	return string(text)
}

func TestDotfilesAreLinked(t *testing.T) {
	r, home := newRepository(t), t.TempDir()
	r.commit(".bashrc", "new", 0o644)
	r.commit(".config/app", "app", 0o644)
	r.commit("README", "not linked", 0o644)
	os.WriteFile(home+"/.bashrc", []byte("mine"), 0o644)
	os.WriteFile(home+"/.bashrc.bak", []byte("older"), 0o644)
	os.Symlink("/does/not/exist", home+"/.config")
	if said, err := runDotfiles(t, home, "-y", r.path, "--repo-dir", "~/dots"); err != nil {
		t.Fatal(err, said)
	}
	for name, want := range map[string]string{".bashrc": "new", ".bashrc.bak": "older", ".bashrc.bak2": "mine", ".config/app": "app", "README": "", "dots/README": "not linked"} {
		if got := read(home, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	// Once more: nothing new is kept aside, and what changed has come.
	r.commit(".bashrc", "newer", 0o644)
	if said, err := runDotfiles(t, home, "-y", r.path, "--repo-dir", "~/dots"); err != nil || read(home, ".bashrc") != "newer" {
		t.Error(err, said)
	}
	if _, err := os.Lstat(home + "/.bashrc.bak3"); err == nil {
		t.Error("kept a link of its own as a backup")
	}
}

// A clone that works stays where it is until another one is there.
func TestDotfilesOfAnotherRepository(t *testing.T) {
	r, home := newRepository(t), t.TempDir()
	r.commit(".bashrc", "first", 0o644)
	if said, err := runDotfiles(t, home, "-y", r.path); err != nil {
		t.Fatal(err, said)
	}
	if said, err := runDotfiles(t, home, "-y", home+"/no/repository"); err == nil || read(home, ".bashrc") != "first" {
		t.Errorf("after a clone that failed .bashrc is %q: %v\n%s", read(home, ".bashrc"), err, said)
	}
	other := newRepository(t)
	other.commit(".bashrc", "second", 0o644)
	if said, err := runDotfiles(t, home, "-y", other.path); err != nil || read(home, ".bashrc") != "second" {
		t.Errorf(".bashrc is %q: %v\n%s", read(home, ".bashrc"), err, said)
	}
	if kept, _ := filepath.Glob(home + "/.config/coderv2/dotfiles.old-*/.bashrc"); len(kept) != 1 || read(kept[0]) != "first" {
		t.Errorf("kept aside: %v", kept)
	}
}

func TestInstallScripts(t *testing.T) {
	for i, name := range installScripts {
		r, home := newRepository(t), t.TempDir()
		for _, later := range installScripts[i+1:] {
			if !strings.HasPrefix(later, name+"/") {
				r.commit(later, "#!/bin/sh\necho wrong > ~/ran", 0o755)
			}
		}
		r.commit(name, "#!/bin/sh\necho $PWD > ~/ran", 0o755)
		said, err := runDotfiles(t, home, "--yes", r.path)
		if err != nil || strings.TrimSpace(read(home, "ran")) != home+"/.config/coderv2/dotfiles" {
			t.Errorf("%s: %v %q\n%s", name, err, read(home, "ran"), said)
		}
	}
}

func TestDotfilesThatGoWrong(t *testing.T) {
	tests := []struct {
		name string
		make func(r repository, home string)
		args []string
		says string
	}{
		{"not executable", func(r repository, _ string) { r.commit("install.sh", "echo x", 0o644) }, []string{"-y"}, "not executable"},
		{"fails", func(r repository, _ string) { r.commit("setup", "#!/bin/sh\nexit 9", 0o755) }, []string{"-y"}, "exit 9"},
		{"nobody to ask", func(r repository, _ string) { r.commit(".x", "", 0o644) }, nil, "--yes"},
		{"no such branch", func(r repository, _ string) { r.commit(".x", "", 0o644) }, []string{"-y", "-b", "nope"}, "exit 128"},
		{"a file in the way", func(r repository, home string) {
			r.commit(".x", "", 0o644)
			os.MkdirAll(home+"/.config/coderv2", 0o755)
			os.WriteFile(home+"/.config/coderv2/dotfiles", nil, 0o644)
		}, []string{"-y"}, "not a directory"},
	}
	for _, tt := range tests {
		r, home := newRepository(t), t.TempDir()
		tt.make(r, home)
		said, err := runDotfiles(t, home, append(tt.args, r.path)...)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v\n%s", tt.name, err, said)
		}
		if left, _ := filepath.Glob(home + "/.config/coderv2/*.clone"); left != nil {
			t.Errorf("%s: left %v", tt.name, left)
		}
	}
	if _, err := runDotfiles(t, t.TempDir(), "-y", "--", "--upload-pack=touch /tmp/evil"); err == nil {
		t.Error("took an option of git for a repository")
	}
}

func TestDotfilesAgain(t *testing.T) {
	r, home := newRepository(t), t.TempDir()
	clone := home + "/.config/coderv2/dotfiles"
	r.commit(".x", "1", 0o644)
	r.git("-C", r.path, "branch", "work")
	must := func(args ...string) string {
		t.Helper()
		said, err := runDotfiles(t, home, append([]string{"-y"}, args...)...)
		if err != nil {
			t.Fatal(err, said)
		}
		return said
	}
	must(r.path)
	// Changes of one's own stay, and are spoken of.
	os.WriteFile(clone+"/.x", []byte("mine"), 0o644)
	r.commit(".x", "2", 0o644)
	if said := must(r.path); read(home, ".x") != "mine" || !strings.Contains(said, "changes of your own") {
		t.Errorf("%q\n%s", read(home, ".x"), said)
	}
	r.git("-C", clone, "checkout", "-q", "--", ".x")
	must(r.path)
	if read(home, ".x") != "2" {
		t.Errorf("not updated: %q", read(home, ".x"))
	}
	must(r.path, "--branch", "work")
	if read(home, ".x") != "1" {
		t.Errorf("not on the branch: %q", read(home, ".x"))
	}
	// Another repository takes its place; the old clone is kept.
	other := newRepository(t)
	other.commit(".x", "other", 0o644)
	if said := must(other.path); read(home, ".x") != "other" || !strings.Contains(said, "Moved what was there") {
		t.Error(said)
	}
	if kept, _ := filepath.Glob(clone + ".old-*"); len(kept) != 1 {
		t.Errorf("%v", kept)
	}
}
