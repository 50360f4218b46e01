package terraform

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// opened is an archive that is there already.
func opened(data []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// elsewhere is another workspace provider: it has the plugins, and none of the
// installations.
func (s *site) elsewhere() *site {
	return newSite(s.t)
}

func (s *site) ensure(t Template) (Installation, error) {
	return s.installer.EnsureOf(s.t.Context(), t, func(l berth.Log) { s.t.Logf("%s %s", l.Stage, l.Text) })
}

// repository is a git repository with the files, as terraform writes its address.
func repository(t *testing.T, files map[string]string) (dir, address string) {
	t.Helper()
	dir = workDir(t)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one"}} {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: git %v: %v %s", args, err, out)
		}
	}
	return dir, "git::file://" + dir
}

// What one import resolves another machine installs though the modules are gone
// from where they were.
func TestCarriedModulesNeedNoSource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir, address := repository(t, map[string]string{
		"inner/main.tf":      `module "deeper" { source = "../deeper" }` + "\n" + `output "x" { value = module.deeper.x }`,
		"deeper/main.tf":     `output "x" { value = file("${path.module}/x.txt") }`,
		"deeper/x.txt":       "carried",
		"beside/ignored.txt": "beside",
	})
	hash, archive := archiveOf(map[string]string{"main.tf": coderOnly + `
module "far" { source = "` + address + `//inner" }
module "near" { source = "./near" }
resource "terraform_data" "x" { input = module.far.x }
`, "near/main.tf": `output "y" { value = 1 }`})
	first, err := s.ensure(Template{Hash: hash, Archive: archive, Anew: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := first.Carried()
	if err != nil || len(data) == 0 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	other := s.elsewhere()
	if _, err := other.ensure(Template{Hash: hash, Archive: archive}); err == nil {
		t.Error("the module is had though its repository is gone")
	}
	wanted := Template{Hash: hash, Archive: archive, Carried: hashOf(data), Modules: opened(data)}
	second, err := other.ensure(wanted)
	if err != nil {
		t.Fatal(err)
	}
	again, err := other.ensure(wanted)
	if err != nil || again.Dir != second.Dir {
		t.Errorf("the second time: %s, %v; the first: %s", again.Dir, err, second.Dir)
	}
	r, err := Run(t.Context(), other.options(second, berth.Start, nil), &recorder{t: t}, allow(nil))
	if err != nil || !strings.Contains(string(r.State), "carried") {
		t.Errorf("%v, state %s", err, r.State)
	}
	for _, name := range []string{lockName, source.ModulesDir + "/modules.json"} {
		a, _ := os.ReadFile(filepath.Join(first.Dir, name))
		b, err := os.ReadFile(filepath.Join(second.Dir, name))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s: %s\nand %s, %v", name, a, b, err)
		}
	}
	// The importing machine itself uses what it has made.
	if kept, err := s.ensure(wanted); err != nil || kept.Dir != first.Dir {
		t.Errorf("%s, %v; imported as %s", kept.Dir, err, first.Dir)
	}
}

func TestAnImportResolvesModulesAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir, address := repository(t, map[string]string{"main.tf": `output "x" { value = 1 }`})
	hash, archive := archiveOf(map[string]string{"main.tf": `module "far" { source = "` + address + `" }`})
	one, err := s.ensure(Template{Hash: hash, Archive: archive, Anew: true})
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.ensure(Template{Hash: hash, Archive: archive, Anew: true})
	if err != nil || same.Dir != one.Dir {
		t.Errorf("nothing changed: %s, %v", same.Dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(`output "x" { value = 2 }`), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "two").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	two, err := s.ensure(Template{Hash: hash, Archive: archive, Anew: true})
	if err != nil || two.Dir == one.Dir {
		t.Fatalf("%v, the installation is the old one: %v", err, two.Dir == one.Dir)
	}
	data, err := one.Carried()
	if err != nil {
		t.Fatal(err)
	}
	if old, err := s.ensure(Template{Hash: hash, Archive: archive, Carried: hashOf(data), Modules: opened(data)}); err != nil || old.Dir != one.Dir {
		t.Errorf("the former version has %s, %v", old.Dir, err)
	}
}

func TestForgedCarriedArchivesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash, archive := archiveOf(map[string]string{"main.tf": coderOnly})
	i, err := s.ensure(Template{Hash: hash, Archive: archive, Anew: true})
	if err != nil {
		t.Fatal(err)
	}
	good, err := i.Carried()
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(good)
	changed[600] ^= 1
	if _, err := s.elsewhere().ensure(Template{Hash: hash, Archive: archive, Carried: hashOf(good), Modules: opened(changed)}); err == nil {
		t.Error("one with another hash is taken")
	}
	noise := bytes.Repeat([]byte("x"), 2048)
	if _, err := s.elsewhere().ensure(Template{Hash: hash, Archive: archive, Carried: hashOf(noise), Modules: opened(noise)}); !errors.Is(err, berth.Invalid) {
		t.Errorf("noise: %v", err)
	}
}

// The lock file that comes with a template decides where a mirror has more than
// one version.
func TestTheTemplatesLockIsKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	more := filepath.Join(s.dir, "more")
	from, ok := pluginDir([]string{pluginMirror}, berth.Plugin{Source: s.installer.registry() + "/coder/coder", Version: "2.19.0"})
	if !ok {
		t.Fatal("no plugin")
	}
	to := filepath.Join(more, s.installer.registry(), "coder", "coder", "2.20.0", platform)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Symlink(from, to)); err != nil {
		t.Fatal(err)
	}
	s.installer.Mirror += string(os.PathListSeparator) + more
	chosen := func(i Installation) string {
		plugins, _, err := resolved(i.Dir)
		if err != nil || len(plugins) != 1 {
			t.Fatalf("%v %v", plugins, err)
		}
		return plugins[0].Version
	}
	free := s.must(map[string]string{"main.tf": coderOnly})
	if v := chosen(free); v != "2.20.0" {
		t.Errorf("without a lock file: %s", v)
	}
	// Hashes in it are of other builds; the registry may be the other engine's.
	locked := s.must(map[string]string{"main.tf": coderOnly, lockName: `
provider "registry.opentofu.org/coder/coder" {
  version     = "2.19.0"
  constraints = ">= 2.0.0"
  hashes      = ["h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "zh:0000"]
}`})
	if v := chosen(locked); v != "2.19.0" || len(locked.Notes) > 0 {
		t.Errorf("with a lock file: %s, notes %v", v, locked.Notes)
	}
	if _, err := s.install(map[string]string{"main.tf": coderOnly, lockName: "provider {"}); !errors.Is(err, berth.Invalid) {
		t.Errorf("a broken lock file: %v", err)
	}
}
