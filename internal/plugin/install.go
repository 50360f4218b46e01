package plugin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// hosts are where terraform and tofu look for a plugin whose source names no host.
var hosts = []string{"registry.terraform.io", "registry.opentofu.org"}

// Install lays out the plugins in an unpacked mirror, for terraform and for
// tofu. binary opens a bundled binary by its name, berth-plugin. What is there
// already stays untouched; each file appears whole or not at all. Builds that
// run keep the file that they started.
func Install(mirror string, binary func(name string) (io.Reader, error)) error {
	paths := installed(mirror)
	whole, err := complete(paths, binary)
	if err != nil || whole {
		return err
	}
	if err := os.MkdirAll(mirror, 0o755); err != nil {
		return fmt.Errorf("making the plugin mirror: %w", err)
	}
	file, err := os.CreateTemp(mirror, ".berth-plugin-*")
	if err != nil {
		return fmt.Errorf("making the plugin mirror: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := unpack(file, binary); err != nil {
		return err
	}
	for _, path := range paths {
		if err := place(file.Name(), path); err != nil {
			return fmt.Errorf("installing a plugin: %w", err)
		}
	}
	return nil
}

// installed lists the files that Install makes.
func installed(mirror string) []string {
	var paths []string
	for _, host := range hosts {
		for _, s := range served {
			paths = append(paths, filepath.Join(mirror, host, s.namespace, s.name, s.version,
				runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+s.name+"_v"+s.version))
		}
	}
	return paths
}

// Binary is the program that Install has put into a mirror: the plugins, and the
// process of a build's journal. It is empty where there is none.
func Binary(mirror string) string {
	path := installed(mirror)[0]
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// complete tells whether every path has the binary's content already.
func complete(paths []string, binary func(string) (io.Reader, error)) (bool, error) {
	first, err := os.Stat(paths[0])
	if err != nil {
		return false, nil
	}
	for _, path := range paths[1:] {
		if other, err := os.Stat(path); err != nil || !os.SameFile(first, other) {
			return false, nil
		}
	}
	file, err := os.Open(paths[0])
	if err != nil {
		return false, nil
	}
	defer file.Close()
	want, err := open(binary)
	if err != nil {
		return false, err
	}
	defer want.Close()
	return first.Mode()&0o555 == 0o555 && same(file, want), nil
}

func same(a, b io.Reader) bool {
	x, y := bufio.NewReaderSize(a, 64<<10), make([]byte, 64<<10)
	z := make([]byte, len(y))
	for {
		n, errN := io.ReadFull(b, y)
		m, errM := io.ReadFull(x, z)
		if n != m || !bytes.Equal(y[:n], z[:m]) {
			return false
		}
		if errN != nil || errM != nil {
			end := func(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }
			return end(errN) && end(errM)
		}
	}
}

func unpack(file *os.File, binary func(string) (io.Reader, error)) error {
	r, err := open(binary)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.Copy(file, r); err != nil {
		return fmt.Errorf("unpacking berth-plugin: %w", err)
	}
	if err := errors.Join(file.Chmod(0o755), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("unpacking berth-plugin: %w", err)
	}
	return nil
}

func open(binary func(string) (io.Reader, error)) (io.ReadCloser, error) {
	r, err := binary("berth-plugin")
	if err != nil {
		return nil, fmt.Errorf("opening berth-plugin: %w", err)
	}
	if c, ok := r.(io.ReadCloser); ok {
		return c, nil
	}
	return io.NopCloser(r), nil
}

// place gives the file from the second name to, in one step.
func place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	part := to + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(from, part); err != nil {
		return err
	}
	return os.Rename(part, to)
}
