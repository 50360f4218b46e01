package terraform

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berthdev/berth"
)

// Variables that tell this test binary that it runs without a network: where
// what was imported lies, and where the plugins are.
const (
	offlineDir    = "BERTH_TEST_OFFLINE"
	offlineMirror = "BERTH_TEST_MIRROR"
)

// TestBuildsNeedNoNetwork imports every template that there is, modules from a
// git host and a registry among them, and then installs, imports and starts all
// of them on another machine that has no network at all.
func TestBuildsNeedNoNetwork(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can take the network away from a process")
	}
	s := newSite(t)
	if tools, err := filepath.Abs(filepath.Join("..", "..", ".tools", "mirror")); err == nil {
		s.installer.Mirror += string(os.PathListSeparator) + tools
	}
	s.installer.ModuleMirrors = []ModuleMirror{{Dir: moduleMirror(t, mirrored)}}
	git, address := repository(t, map[string]string{"inner/main.tf": `output "v" { value = "from git" }`})
	templates := map[string]map[string]string{"far": {"main.tf": coderOnly + `
module "one" {
  source  = "acme/one/x"
  version = "1.2.0"
}
module "git" { source = "` + address + `//inner" }
resource "terraform_data" "x" { input = "${module.one.v} ${module.git.v}" }
`}}
	starters := map[string]bool{}
	for where, dir := range map[string]string{"test": filepath.Join("..", "..", "test", "templates"), "starter": filepath.Join("..", "..", "templates")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.IsDir() {
				name := where + "-" + entry.Name()
				templates[name], starters[name] = templateFiles(t, filepath.Join(dir, entry.Name())), where == "starter"
			}
		}
	}
	dir, imported := workDir(t), 0
	for name, files := range templates {
		hash, open := archiveOf(files)
		i, err := s.ensure(Template{Hash: hash, Archive: open, Anew: true})
		if err == nil {
			_, err = Import(t.Context(), s.options(i, berth.Import, nil), &recorder{t: t})
		}
		if err != nil && starters[name] {
			t.Logf("SKIPPED %s: this machine has not what it needs: %v", name, err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		carried, err := i.Carried()
		if err != nil {
			t.Fatal(err)
		}
		r, err := open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		saved, err := os.Create(filepath.Join(dir, name+".template"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := saved.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(saved.Close(), os.WriteFile(filepath.Join(dir, name+".carried"), carried, 0o600)); err != nil {
			t.Fatal(err)
		}
		imported++
	}
	if err := os.RemoveAll(git); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestWithoutANetwork$", "-test.v")
	child.Env = append(os.Environ(), offlineDir+"="+dir, offlineMirror+"="+s.installer.Mirror)
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := child.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("SKIPPED: this machine lets nobody make a network namespace: %v", err)
	}
	if done := strings.Count(string(out), "installed and imported"); err != nil || done != imported {
		t.Errorf("%v; %d of %d templates:\n%s", err, done, imported, out)
	}
}

// TestWithoutANetwork is the part of the test above that has none.
func TestWithoutANetwork(t *testing.T) {
	dir := os.Getenv(offlineDir)
	if dir == "" {
		return
	}
	if c, err := net.Dial("udp", "192.0.2.1:53"); err == nil {
		c.Close()
		t.Fatal("there is a network")
	}
	s := newSite(t)
	s.installer.Mirror = os.Getenv(offlineMirror)
	found, err := filepath.Glob(filepath.Join(dir, "*.template"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%v %v", found, err)
	}
	for _, path := range found {
		name := strings.TrimSuffix(path, ".template")
		archive, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		carried, err := os.ReadFile(name + ".carried")
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Base(name)
		i, err := s.ensure(Template{Hash: hashOf(archive), Archive: opened(archive), Carried: hashOf(carried), Modules: opened(carried)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := Import(t.Context(), s.options(i, berth.Import, nil), &recorder{t: t}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: installed and imported", name)
		if name != "far" {
			continue
		}
		started, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(nil))
		if err != nil || !strings.Contains(string(started.State), "one 1.2.0 two 0.1.0 from git") {
			t.Errorf("%s: start: %v\n%s", name, err, started.State)
		}
		for _, next := range []berth.Transition{berth.Stop, berth.Delete} {
			if started, err = Run(t.Context(), s.options(i, next, started.State), &recorder{t: t}, allow(nil)); err != nil {
				t.Errorf("%s: %s: %v", name, next, err)
			}
		}
	}
}
