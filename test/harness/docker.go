package harness

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var image struct {
	once sync.Once
	err  string
}

// Image is the name of a small container image with a shell, made from the
// machine's static busybox. Without an engine, busybox or the docker plugin the
// test is skipped, aloud.
func Image(t testing.TB) string {
	t.Helper()
	const name = "berth-test-busybox:1"
	Need(t, "docker")
	if err := exec.Command("docker", "version").Run(); err != nil {
		t.Skip("SKIPPED: no container engine is running on this machine")
	}
	if m, _ := filepath.Glob(filepath.Join(Plugins(), "registry.terraform.io/kreuzwerker/docker/*/*/terraform-provider-docker*")); len(m) == 0 {
		t.Skip("SKIPPED: the docker plugin is not built; run `make tools`")
	}
	Need(t, "busybox")
	image.once.Do(func() { image.err = importImage(name, nil, "--change", "ENV PATH=/bin") })
	if image.err != "" {
		t.Fatal(image.err)
	}
	return name
}

// Plugins is the mirror that `make tools` fills.
func Plugins() string { return filepath.Join(Root(), ".tools", "mirror") }

// importImage makes an image with busybox in it, and what more adds. It gives
// what went wrong.
func importImage(name string, more func(*tar.Writer) error, changes ...string) string {
	tree, err := imageTree(more)
	if err != nil {
		return err.Error()
	}
	cmd := exec.Command("docker", append(append([]string{"import"}, changes...), "-", name)...)
	cmd.Stdin = bytes.NewReader(tree)
	if out, err := cmd.CombinedOutput(); err != nil {
		return err.Error() + ": " + string(out)
	}
	return ""
}

// imageTree is a root directory with busybox in it, and what more adds, as an
// archive.
func imageTree(more func(*tar.Writer) error) ([]byte, error) {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	applets, err := exec.Command(path, "--list").Output()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"bin/", "etc/", "root/", "proc/", "sys/", "dev/", "home/"} {
		w.WriteHeader(&tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755})
	}
	w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777})
	put := func(name string, mode int64, data []byte) {
		w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg})
		w.Write(data)
	}
	put("bin/busybox", 0o755, binary)
	put("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\ncoder:x:1001:1001:coder:/home/coder:/bin/bash\n"))
	put("etc/group", 0o644, []byte("root:x:0:\ndev:x:1000:\ncoder:x:1001:\n"))
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "busybox" {
			w.WriteHeader(&tar.Header{Name: "bin/" + applet, Typeflag: tar.TypeSymlink, Linkname: "busybox"})
		}
	}
	if more != nil {
		if err := more(w); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

// BridgeIP is the host's address on Docker's bridge, where containers reach it.
func BridgeIP(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").Output()
	ip := strings.TrimSpace(string(out))
	if err != nil || ip == "" {
		t.Skipf("SKIPPED: the container engine has no bridge network: %v", err)
	}
	return ip
}
