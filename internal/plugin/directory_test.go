package plugin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testHost(t *testing.T) host {
	t.Helper()
	return host{root: t.TempDir(), workspace: "11111111-2222-4333-8444-555555555555"}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	h := testHost(t)
	path, err := h.makeDirectory("home")
	if err != nil || path != h.path("home") {
		t.Fatalf("%s %v", path, err)
	}
	if _, err := h.makeDirectory("home"); err != nil {
		t.Errorf("one that is there already: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	outside := t.TempDir()
	keep := filepath.Join(outside, "keep")
	for _, err := range []error{
		os.WriteFile(keep, nil, 0o600),
		os.Symlink(outside, filepath.Join(path, "link")),
		os.MkdirAll(filepath.Join(path, "go", "pkg", "mod"), 0o700),
		os.WriteFile(filepath.Join(path, "go", "pkg", "mod", "f"), nil, 0o400),
		os.Chmod(filepath.Join(path, "go", "pkg", "mod"), 0o500),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.removeDirectory("home"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(keep); err != nil {
		t.Errorf("followed a link out of the directory: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the workspace's empty directory is left: %v", err)
	}
	if err := h.removeDirectory("home"); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestDirectoryCannotLeaveItsRoot(t *testing.T) {
	t.Parallel()
	h := testHost(t)
	for _, name := range []string{"..", ".", "", "a/b", "../x", "/etc", ".log", strings.Repeat("a", 65)} {
		if _, err := h.makeDirectory(name); err == nil {
			t.Errorf("%q was made", name)
		}
		if err := h.removeDirectory(name); err == nil {
			t.Errorf("%q was removed", name)
		}
	}
	// The workspace's directory was replaced by a link to somewhere else.
	outside := t.TempDir()
	if err := os.MkdirAll(filepath.Join(outside, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(h.root, h.workspace)); err != nil {
		t.Fatal(err)
	}
	_ = h.removeDirectory("home")
	if _, err := os.Stat(filepath.Join(outside, "home")); err != nil {
		t.Errorf("removed what is outside of the root: %v", err)
	}
}

func TestHostIsRefusedUnlessAllowed(t *testing.T) {
	for _, test := range []struct {
		allow, root, workspace string
		ok                     bool
	}{
		{"", "/r", "w", false}, {"yes", "/r", "w", false}, {"allowed", "", "w", false}, {"allowed", "r", "w", false},
		{"allowed", "/r", "../w", false}, {"allowed", "/r", "", false}, {"allowed", "/r", "w", true},
	} {
		t.Setenv(allowVariable, test.allow)
		t.Setenv(rootVariable, test.root)
		t.Setenv(workspaceVariable, test.workspace)
		if _, err := allowedHost(); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
