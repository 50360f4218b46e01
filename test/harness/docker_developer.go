package harness

import (
	"archive/tar"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

var developer struct {
	once sync.Once
	err  string
}

// DeveloperImage is Image with this machine's bash and git and its user coder, as
// images for the public templates have them.
func DeveloperImage(t testing.TB) string {
	t.Helper()
	Image(t)
	Need(t, "bash", "git", "ldd")
	const name = "berth-test-developer:1"
	developer.once.Do(func() {
		developer.err = importImage(name, addDeveloper, "--change", "ENV PATH=/usr/bin:/bin", "--change", "USER coder", "--change", "WORKDIR /home/coder")
	})
	if developer.err != "" {
		t.Fatal(developer.err)
	}
	return name
}

func addDeveloper(w *tar.Writer) error {
	for _, h := range []*tar.Header{
		{Name: "home/coder/", Typeflag: tar.TypeDir, Mode: 0o755, Uid: 1001, Gid: 1001},
		{Name: "etc/skel/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "usr/bin/env", Typeflag: tar.TypeSymlink, Linkname: "/bin/busybox"},
	} {
		if err := w.WriteHeader(h); err != nil {
			return err
		}
	}
	return addPrograms(w, map[string]string{"bash": "bin/bash", "git": "usr/bin/git"})
}

// addPrograms adds programs of this machine, each at its path, with the
// libraries that they load.
func addPrograms(w *tar.Writer, programs map[string]string) error {
	files := map[string]string{} // path in the image: path here
	for name, at := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		libraries, err := exec.Command("ldd", path).Output()
		if err != nil {
			return err
		}
		files[at] = path
		for _, word := range strings.Fields(string(libraries)) {
			if strings.HasPrefix(word, "/") {
				files[strings.TrimPrefix(word, "/")] = word
			}
		}
	}
	for at, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: at, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}
