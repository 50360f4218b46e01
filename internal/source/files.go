package source

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// Files are the files of a template by path, with slashes and clean.
type Files map[string][]byte

// Limits of what is kept of an archive.
const (
	maxKept    = 64 << 10 // bytes of a file that is no configuration
	maxOthers  = 1 << 20  // bytes of all of those
	maxTotal   = 8 << 20  // bytes of all configuration
	maxModules = 200
)

// Unpack adds the files of a tar that people may have written by hand: the
// configuration, and others where they are small. Later archives win. One that
// is cut off or too large is refused.
func (f Files) Unpack(archive []byte) error {
	total, others := 0, 0
	for name, text := range f {
		if isConfig(name) {
			total += len(text)
		} else {
			others += len(text)
		}
	}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return berth.Errorf(berth.Invalid, "the archive of the template cannot be read")
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			continue
		}
		switch size := int(min(h.Size, maxTotal+1)); {
		case isConfig(name):
			if total += size; total > maxTotal {
				return berth.Errorf(berth.Limit, "the files of the template are more than %d MB", maxTotal>>20)
			}
		case size > maxKept || others+size > maxOthers:
			continue
		default:
			others += size
		}
		text, err := io.ReadAll(io.LimitReader(r, h.Size))
		if err != nil {
			return berth.Errorf(berth.Invalid, "the archive of the template cannot be read")
		}
		f[name] = text
	}
}

func isConfig(name string) bool {
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json") || name == manifest
}

// Module parses the files of one directory.
func (f Files) Module(dir string) (Module, error) {
	var names []string
	for name := range f {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return parse(dir, names, func(name string) ([]byte, error) { return f[path.Join(dir, name)], nil })
}

// Manifest lists the modules that an import installed, as far as their files are
// there.
func (f Files) Manifest() []Entry { return entries(f[manifest]) }

// Modules parses the root and what it calls, as far as its files are there: what
// an import installed, and what lies in directories of the template. The root
// comes first.
func (f Files) Modules() ([]Module, error) {
	root, err := f.Module(".")
	if err != nil {
		return nil, err
	}
	all, seen := []Module{root}, map[string]bool{".": true}
	add := func(dir, key string) {
		if seen[dir] || len(all) == maxModules || dir == ".." || strings.HasPrefix(dir, "../") || path.IsAbs(dir) {
			return
		}
		seen[dir] = true
		if m, err := f.Module(dir); err == nil && len(m.Names) > 0 {
			m.Key = key
			all = append(all, m)
		}
	}
	for _, e := range f.Manifest() {
		if e.Key != "" {
			add(path.Clean(e.Dir), e.Key)
		}
	}
	for i := 0; i < len(all); i++ {
		for _, b := range all[i].Of("module", "") {
			if from := Literal(b.Body, "source"); strings.HasPrefix(from, "./") || strings.HasPrefix(from, "../") {
				add(path.Join(all[i].Dir, from), strings.TrimPrefix(all[i].Key+"."+b.Labels[0], "."))
			}
		}
	}
	return all, nil
}

func entries(text []byte) []Entry {
	var list struct{ Modules []Entry }
	_ = json.Unmarshal(text, &list)
	return list.Modules
}
