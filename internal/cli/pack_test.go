package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packed(t *testing.T, archive []byte) (names string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return strings.TrimSpace(names)
		}
		if err != nil {
			t.Fatal(err)
		}
		names += h.Name + " "
	}
}

func TestPackIsTheSameForTheSameFiles(t *testing.T) {
	t.Parallel()
	content := map[string]string{"main.tf": "#", "b/x.sh": "echo", "a.txt": "1", ".terraform/plugin": "big", ".git/config": "x", "terraform.tfstate": "secret",
		"old.tfstate.backup": "secret", ".terraform.lock.hcl": "x", "b/.terraform.lock.hcl": "x", "b/.terraform/x": "x"}
	one, two := files(t, content), files(t, content)
	os.Chmod(filepath.Join(one, "b/x.sh"), 0o755)
	os.Chmod(filepath.Join(two, "b/x.sh"), 0o711)
	os.Chtimes(filepath.Join(two, "main.tf"), time.Unix(1e9, 0), time.Unix(1e9, 0))
	a, err := Pack(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Pack(two)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("two archives of the same files differ: %v", err)
	}
	if got := packed(t, a); got != ".terraform.lock.hcl a.txt b/x.sh main.tf" {
		t.Errorf("packed: %s", got)
	}
}

func TestPackRefuses(t *testing.T) {
	t.Parallel()
	link := files(t, map[string]string{"main.tf": "#"})
	os.Symlink("/etc/passwd", filepath.Join(link, "passwd"))
	dirLink := files(t, map[string]string{"main.tf": "#"})
	os.Symlink("/etc", filepath.Join(dirLink, "etc"))
	pipe := files(t, map[string]string{"main.tf": "#"})
	if err := syscall.Mkfifo(filepath.Join(pipe, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	zeros := files(t, map[string]string{"main.tf": "#"})
	f, _ := os.Create(filepath.Join(zeros, "zeros"))
	f.Truncate(200 << 20)
	f.Close()
	many := files(t, map[string]string{"main.tf": "#"})
	for i := range maxFiles {
		os.WriteFile(filepath.Join(many, "f"+strings.Repeat("x", i%200)+string(rune('a'+i/200))), nil, 0o644)
	}
	for _, c := range []struct {
		dir, says string
		code      berth.Code
	}{
		{link, "passwd is a link", berth.Invalid},
		{dirLink, "etc is a link", berth.Invalid},
		{pipe, "pipe is not a plain file", berth.Invalid},
		{zeros, "more than 40 MB", berth.Limit},
		{many, "more than 2000 files", berth.Limit},
		{files(t, map[string]string{"README.md": "x"}), "no .tf file", berth.Invalid},
		{files(t, map[string]string{"below/main.tf": "x"}), "no .tf file", berth.Invalid},
		{filepath.Join(link, "main.tf"), "is not a directory", berth.Invalid},
		{filepath.Join(link, "none"), "is not a directory", berth.Invalid},
	} {
		_, err := Pack(c.dir)
		if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.says, err)
		}
	}
}

// A server that somebody else runs cannot write beside the directory.
func TestUnpackStaysInside(t *testing.T) {
	t.Parallel()
	for _, h := range []*tar.Header{
		{Name: "../evil", Typeflag: tar.TypeReg},
		{Name: "/tmp/evil", Typeflag: tar.TypeReg},
		{Name: "a/../../evil", Typeflag: tar.TypeReg},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		{Name: "dev", Typeflag: tar.TypeChar},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		w.WriteHeader(h)
		w.Close()
		above := t.TempDir()
		dir := filepath.Join(above, "dir")
		os.Mkdir(dir, 0o755)
		if _, err := unpack(&b, dir); err == nil {
			t.Errorf("%s was unpacked", h.Name)
		}
		if held, _ := os.ReadDir(above); len(held) != 1 {
			t.Errorf("%s left %v", h.Name, held)
		}
	}
}
