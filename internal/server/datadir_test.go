package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

func TestDataDirIsClosedWhereItIsSecret(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "deep", "data")
	d, err := openDataDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for room, want := range map[string]fs.FileMode{
		"": 0o711, "db": 0o700, "keys": 0o700, "runner": 0o700, "work": 0o711,
		"work/mirror": 0o755, "work/installations": 0o755, "work/processes": 0o711, "lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(root, room))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q is %o, want %o", room, got, want)
		}
	}
	d.close()

	// What a careless hand opened is closed again; the root itself is the
	// operator's.
	os.Chmod(filepath.Join(root, "keys"), 0o755)
	os.Chmod(root, 0o755)
	if d, err = openDataDir(root); err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if info, _ := os.Stat(filepath.Join(root, "keys")); info.Mode().Perm() != 0o700 {
		t.Error("keys stayed open")
	}
	if info, _ := os.Stat(root); info.Mode().Perm() != 0o755 {
		t.Error("the root's rights were changed")
	}
}

func TestTwoServersOnOneDataDir(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := openDataDir(root)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openDataDir(root)
	if !errors.Is(err, berth.Conflict) || !strings.Contains(err.Error(), root) {
		t.Errorf("the second: %v", err)
	}
	d.close()
	again, err := openDataDir(root)
	if err != nil {
		t.Errorf("after the first ended: %v", err)
	} else {
		again.close()
	}
}

func TestBadDataDirsNameTheCure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "data")} {
		if _, err := openDataDir(path); !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "--data") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for cause, want := range map[error]berth.Code{fs.ErrPermission: berth.Forbidden, errLocked: berth.Conflict} {
		if err := dataProblem("/x", cause); !errors.Is(err, want) || !strings.Contains(err.Error(), "--data /x") {
			t.Errorf("%v: %v", cause, err)
		}
	}
	if os.Geteuid() != 0 { // root may write everywhere
		closed := filepath.Join(dir, "closed")
		os.Mkdir(closed, 0o500)
		if _, err := openDataDir(filepath.Join(closed, "data")); !errors.Is(err, berth.Forbidden) {
			t.Errorf("not writable: %v", err)
		}
	}
}
