package plugin

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func bundle(text string) func(string) (io.Reader, error) {
	return func(name string) (io.Reader, error) {
		if name != "berth-plugin" {
			return nil, errors.New("unknown")
		}
		return strings.NewReader(text), nil
	}
}

func TestInstall(t *testing.T) {
	t.Parallel()
	mirror := filepath.Join(t.TempDir(), "mirror")
	install := func(text string) os.FileInfo {
		t.Helper()
		if err := Install(mirror, bundle(text)); err != nil {
			t.Fatal(err)
		}
		for _, path := range installed(mirror) {
			got, err := os.ReadFile(path)
			if err != nil || string(got) != text {
				t.Fatalf("%s: %q %v", path, got, err)
			}
		}
		info, err := os.Stat(installed(mirror)[0])
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Fatalf("%v %v", info, err)
		}
		return info
	}
	one := install("one")
	if same := install("one"); !os.SameFile(one, same) || !same.ModTime().Equal(one.ModTime()) {
		t.Error("the same binary was installed again")
	}
	install("two")
	install("two and more")
	install("two")
	if err := os.Remove(installed(mirror)[2]); err != nil {
		t.Fatal(err)
	}
	install("two")
	left, _ := filepath.Glob(filepath.Join(mirror, ".berth-plugin-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := Install(mirror, func(string) (io.Reader, error) { return nil, os.ErrNotExist }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a binary: %v", err)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 200_000)
	for _, test := range []struct {
		a, b string
		same bool
	}{{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"ab", "a", false}, {string(long), string(long), true}, {string(long), string(long) + "y", false}} {
		if same(strings.NewReader(test.a), strings.NewReader(test.b)) != test.same {
			t.Errorf("%d and %d bytes: not %v", len(test.a), len(test.b), test.same)
		}
	}
}

// The version in the mirror is that of the module that we serve.
func TestVersionIsTheModules(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/coder/terraform-provider-coder/v2").Output()
	if err != nil {
		t.Skipf("SKIPPED: no go command: %v", err)
	}
	if got := strings.TrimSpace(string(out)); got != "v"+served[0].version {
		t.Errorf("served as %s, built from %s", served[0].version, got)
	}
}

func TestStartedByAPerson(t *testing.T) {
	t.Parallel()
	if code := Main([]string{"/usr/bin/berth-plugin"}); code != 2 {
		t.Errorf("code %d", code)
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, s := range served {
		if err := s.provider().InternalValidate(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
