package terraform

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func TestInstallationsAreSharedAndReadOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash, open := archiveOf(map[string]string{"main.tf": coderOnly, "lib/a.txt": "x"})
	var opened, mu = 0, sync.Mutex{}
	counted := func(ctx context.Context) (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		opened++
		return open(ctx)
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			i, err := s.installer.Ensure(t.Context(), hash, counted, func(berth.Log) {})
			if err != nil {
				t.Error(err)
				return
			}
			for _, name := range []string{".", "main.tf", "lib", "lib/a.txt", ".terraform", lockName} {
				info, err := os.Stat(filepath.Join(i.Dir, name))
				if err != nil || info.Mode()&0o222 != 0 {
					t.Errorf("%s: %v %v", name, info, err)
				}
			}
			if text, err := os.ReadFile(filepath.Join(i.Dir, lockName)); err != nil || strings.Contains(string(text), "hashes") {
				t.Errorf("lock file: %s %v", text, err)
			}
		})
	}
	all.Wait()
	if opened != 1 {
		t.Errorf("the archive was opened %d times", opened)
	}
	if left, _ := filepath.Glob(filepath.Join(s.installer.Dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(s.installer.Dir, ".init-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestChangedPluginMakesANewInstallation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cache := filepath.Join(t.TempDir(), "mirror.json")
	file := filepath.Join(dir, "plugin")
	put := func(text string) string {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		print, err := fingerprint([]string{dir, filepath.Join(dir, "missing")}, cache)
		if err != nil {
			t.Fatal(err)
		}
		return print
	}
	one, same, other := put("one"), put("one"), put("two")
	if one != same || one == other {
		t.Errorf("fingerprints %s %s %s", one, same, other)
	}
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]tar.Header{
		"parent":   {Name: "../x", Typeflag: tar.TypeReg},
		"absolute": {Name: "/etc/x", Typeflag: tar.TypeReg},
		"symlink":  {Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		"hardlink": {Name: "x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"device":   {Name: "x", Typeflag: tar.TypeChar},
		"huge":     {Name: "x", Typeflag: tar.TypeReg, Size: maxArchive + 1},
	} {
		var b bytes.Buffer
		_ = tar.NewWriter(&b).WriteHeader(&h)
		if err := unpack(t.TempDir(), &b); err == nil || !errors.Is(err, berth.Invalid) && !errors.Is(err, berth.Limit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFind runs scripts that it has just written, so it does not run beside
// tests that fork: a child may hold a script open for writing.
func TestFind(t *testing.T) {
	script := func(text string) string {
		path := filepath.Join(t.TempDir(), "terraform")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	e, err := Find(t.Context(), script("echo OpenTofu v1.9.2"))
	if err != nil || e.Version != "1.9.2" || !e.Tofu {
		t.Errorf("%+v %v", e, err)
	}
	for name, path := range map[string]string{
		"old": script("echo Terraform v1.8.5"), "other": script("echo hello"), "broken": script("exit 3"), "missing": "/nonexistent/terraform",
	} {
		if _, err := Find(t.Context(), path); !errors.Is(err, berth.Unavailable) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLeftoversOfKilledInstallationsAreSweptAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, ".new-1"), filepath.Join(dir, ".init-2")
	for _, path := range []string{old, fresh} {
		if err := os.MkdirAll(filepath.Join(path, "template"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-2 * stale)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	(&Installer{Dir: dir}).sweep()
	if there(old) || !there(fresh) {
		t.Errorf("old is there: %v, fresh is there: %v", there(old), there(fresh))
	}
}
