package agent

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPlaceSecret(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	tests := []struct {
		name  string
		make  func(home string)
		path  string
		at    string // below the home; empty: path without ~/
		mode  os.FileMode
		error string
	}{
		{name: "new, with folders", path: "~/.config/a b/token", mode: 0o600},
		{name: "keeps its bits", path: "~/x", mode: 0o640, make: func(h string) { os.WriteFile(h+"/x", []byte("old"), 0o640) }},
		{name: "has it already", path: "~/x", mode: 0o444, make: func(h string) { os.WriteFile(h+"/x", []byte("value"), 0o444) }},
		{name: "read-only", path: "~/x", mode: 0o400, make: func(h string) { os.WriteFile(h+"/x", []byte("old"), 0o400) }},
		{name: "a link inside", path: "~/.aws/credentials", at: "dots/aws/credentials", mode: 0o600, make: func(h string) {
			os.MkdirAll(h+"/dots/aws", 0o755)
			os.Symlink(h+"/dots/aws", h+"/.aws")
		}},
		{name: "a link to a file inside", path: "~/x", at: "y", mode: 0o644, make: func(h string) {
			os.WriteFile(h+"/y", []byte("old"), 0o644)
			os.Symlink("y", h+"/x")
		}},
		{name: "other names of the file", path: "~/x", at: "y", mode: 0o644, make: func(h string) {
			os.WriteFile(h+"/y", []byte("old"), 0o644)
			os.Link(h+"/y", h+"/x")
		}},
		{name: "dots", path: "~/../x", error: "out of the home"},
		{name: "dots further in", path: "~/a/../../x", error: "out of the home"},
		{name: "the home", path: "~/.", error: "not a file"},
		{name: "nothing", path: "~/", error: "not the path of a file"},
		{name: "somebody's home", path: "~root/x", error: "begins with"},
		{name: "relative", path: "x", error: "begins with"},
		{name: "NUL", path: "~/a\x00b", error: "not the path of a file"},
		{name: "a link out", path: "~/out/x", error: "leads out of the home", make: func(h string) { os.Symlink(outside, h+"/out") }},
		{name: "a link to a file outside", path: "~/x", error: "leads out of the home", make: func(h string) {
			os.WriteFile(outside+"/victim", nil, 0o644)
			os.Symlink(outside+"/victim", h+"/x")
		}},
		{name: "a link to nowhere", path: "~/x", error: "leads nowhere", make: func(h string) { os.Symlink(outside+"/new", h+"/x") }},
		{name: "links in a circle", path: "~/x/y", error: "too many links", make: func(h string) { os.Symlink("x", h+"/x") }},
		{name: "a folder", path: "~/x", error: "not a file", make: func(h string) { os.Mkdir(h+"/x", 0o755) }},
		{name: "a pipe", path: "~/x", error: "not a file", make: func(h string) { syscall.Mkfifo(h+"/x", 0o644) }},
		{name: "below a file", path: "~/x/y", error: "not a directory", make: func(h string) { os.WriteFile(h+"/x", nil, 0o644) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "h")
			os.Mkdir(home, 0o755)
			if tt.make != nil {
				tt.make(home)
			}
			err := placeSecret(tt.path, []byte("value"), []string{"HOME=" + home})
			if tt.error != "" {
				if err == nil || !strings.Contains(err.Error(), tt.error) {
					t.Errorf("%v, want %q", err, tt.error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(home, cmp.Or(tt.at, strings.TrimPrefix(tt.path, "~/")))
			text, _ := os.ReadFile(at)
			info, err := os.Lstat(at)
			if err != nil || string(text) != "value" || info.Mode() != tt.mode {
				t.Errorf("%q %v %v", text, info.Mode(), err)
			}
			if left, _ := filepath.Glob(filepath.Dir(at) + "/.berth-secret-*"); left != nil {
				t.Errorf("left %v", left)
			}
		})
	}
	if victim, err := os.ReadFile(outside + "/victim"); err == nil && len(victim) > 0 {
		t.Error("wrote outside of the home")
	}
	// An absolute path goes where it says.
	if err := placeSecret(outside+"/deep/x", []byte("v"), nil); err != nil {
		t.Error(err)
	}
}

// Safety: a disk that is full leaves the file that was there, and nothing else.
func TestSecretOnFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("SKIPPED: cannot mount a small file system here: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	env := []string{"HOME=" + dir}
	if err := placeSecret("~/x", []byte("old"), env); err != nil {
		t.Fatal(err)
	}
	big := []byte(strings.Repeat("x", 100<<10))
	for _, path := range []string{"~/x", "~/new"} {
		if err := placeSecret(path, big, env); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, _ := os.ReadFile(dir + "/x"); string(text) != "old" {
		t.Errorf("%d bytes", len(text))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
	// The step says it, and the start goes on.
	made, err := makeGitConfig([]string{"HOME=" + dir}, strings.Repeat("n", 100<<10), "")
	if _, there := os.Lstat(dir + "/.gitconfig"); made || err == nil || there == nil {
		t.Errorf("%v %v: half of a git configuration", made, err)
	}
}
