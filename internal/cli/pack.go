package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// What the server takes; said here before anything is sent.
const (
	maxPacked   = 10 << 20
	maxUnpacked = 40 << 20
	maxFiles    = 2000
)

// Pack makes the archive of a template's directory: a packed tar that is the
// same for the same files. It leaves out what is not part of a template, and
// refuses links, devices and what the server would refuse for its size.
func Pack(dir string) ([]byte, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, berth.InvalidField("directory", "%s is not a directory; say where the template is with -d DIR", dir)
	}
	root, err := os.OpenRoot(dir) // no name leads out of it, whatever changes meanwhile
	if err != nil {
		return nil, berth.InvalidField("directory", "%s cannot be read: %v", dir, err)
	}
	defer root.Close()
	names, err := templateFiles(root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	total := int64(0)
	for _, name := range names {
		n, err := packFile(archive, root, name, maxUnpacked-total)
		if err != nil {
			return nil, err
		}
		total += n
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("packing the template: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("packing the template: %w", err)
	}
	if out.Len() > maxPacked {
		return nil, berth.Errorf(berth.Limit, "%s has more than %d MB when packed: keep large files out of templates", dir, maxPacked>>20)
	}
	return out.Bytes(), nil
}

// templateFiles lists the files of a template in order, as slash-separated names.
func templateFiles(dir fs.FS, shown string) ([]string, error) {
	var names []string
	terraform := false
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("reading %s: %w", filepath.Join(shown, name), err)
		case name == ".":
			return nil
		case leftOut(d) || strings.HasSuffix(name, "/"+lockFile): // that of a module means nothing
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			return berth.InvalidField("directory", "%s is a link: templates hold plain files only, copy what it points to", name)
		case !d.Type().IsRegular():
			return berth.InvalidField("directory", "%s is not a plain file: templates hold nothing else", name)
		}
		if path.Dir(name) == "." && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json")) {
			terraform = true
		}
		if names = append(names, name); len(names) > maxFiles {
			return berth.Errorf(berth.Limit, "%s has more than %d files: is it the directory of a template?", shown, maxFiles)
		}
		return nil
	})
	if err == nil && !terraform {
		err = berth.InvalidField("directory", "there is no .tf file in %s: is it the directory of a template? berth templates init writes one to start from", shown)
	}
	slices.Sort(names)
	return names, err
}

// lockFile names the plugins' versions that a template was tried with.
const lockFile = ".terraform.lock.hcl"

// leftOut tells what is beside a template and not of it: version control,
// Terraform's own working files, states with their secrets.
func leftOut(d fs.DirEntry) bool {
	name := d.Name()
	if d.IsDir() {
		return name == ".git" || name == ".terraform"
	}
	return name == ".git" || name == ".DS_Store" ||
		strings.HasSuffix(name, ".tfstate") || strings.Contains(name, ".tfstate.")
}

func packFile(archive *tar.Writer, root *os.Root, name string, room int64) (int64, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return 0, fmt.Errorf("packing the template: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("packing the template: %w", err)
	}
	if !info.Mode().IsRegular() {
		return 0, berth.InvalidField("directory", "%s is not a plain file: templates hold nothing else", name)
	}
	if info.Size() > room {
		return 0, berth.Errorf(berth.Limit, "the template has more than %d MB: keep large files such as %s out of it", maxUnpacked>>20, name)
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	// The zero time keeps the archive, and so its hash, free of when it was made.
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: info.Size(), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}); err != nil {
		return 0, fmt.Errorf("packing the template: %w", err)
	}
	n, err := io.Copy(archive, io.LimitReader(f, info.Size()))
	if err != nil || n != info.Size() {
		return 0, fmt.Errorf("packing %s: it changed while it was read: %v", name, err)
	}
	return n, nil
}
