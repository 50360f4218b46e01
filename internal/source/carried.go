package source

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/berthdev/berth"
)

// Bounds of a carried archive.
const (
	MaxCarried      = 32 << 20 // bytes of all files
	maxCarriedFiles = 10_000
	maxCarriedPath  = 400 // bytes
)

// Where an installation has what a carried archive holds.
const (
	ModulesDir = ".terraform/modules"
	LockFile   = ".terraform.lock.hcl"
	manifest   = ModulesDir + "/modules.json"
)

// Carried is what the import of a version resolved: its modules and its lock
// file. An installation that is made from it needs no network.
type Carried map[string]CarriedFile // by slash-separated path below the template

// CarriedFile is one file of it.
type CarriedFile struct {
	Data       []byte
	Executable bool
}

// PackCarried packs what is resolved in an installation. The same files give the
// same bytes. Modules that come with files beside them, as those from a git
// repository do, are reduced to their own directories when all would be too
// large; tooLarge tells that even so there is too much, and that nothing was packed.
func PackCarried(dir string) (data []byte, tooLarge bool, err error) {
	c, err := collectCarried(dir, nil)
	if errors.Is(err, berth.Limit) {
		var own []string
		for _, m := range Manifest(dir) {
			own = append(own, path.Clean(filepath.ToSlash(m.Dir)))
		}
		c, err = collectCarried(dir, own)
	}
	if errors.Is(err, berth.Limit) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	data, err = c.pack()
	return data, false, err
}

// collectCarried reads the files; with own only those below one of its directories.
func collectCarried(dir string, own []string) (Carried, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("packing the modules: %w", err)
	}
	defer root.Close()
	c, left := Carried{}, int64(MaxCarried)
	take := func(name string) error {
		info, err := root.Lstat(filepath.FromSlash(name))
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if left -= info.Size(); left < 0 || len(c) == maxCarriedFiles || len(name) > maxCarriedPath {
			return carriedTooLarge()
		}
		text, err := root.ReadFile(filepath.FromSlash(name))
		c[name] = CarriedFile{text, info.Mode()&0o111 != 0}
		return err
	}
	if err := take(LockFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("packing the lock file: %w", err)
	}
	err = fs.WalkDir(root.FS(), ModulesDir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || own != nil && name != manifest && !within(name, own) {
			return err
		}
		return take(name)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("packing the modules: %w", err)
	}
	return c, nil
}

func within(name string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

func carriedTooLarge() error {
	return berth.Errorf(berth.Limit, "the modules of the template are more than %d MB or %d files", MaxCarried>>20, maxCarriedFiles)
}

func (c Carried) pack() ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(c)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(c[name].Data)), Mode: 0o644, ModTime: time.Unix(0, 0)}
		if c[name].Executable {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
		if _, err := w.Write(c[name].Data); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing the modules: %w", err)
	}
	return out.Bytes(), nil
}

// ReadCarried reads a carried archive and refuses one that PackCarried would not
// have made: it came from another machine.
func ReadCarried(data []byte) (Carried, error) {
	c, left := Carried{}, int64(MaxCarried)
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, badCarried("it is broken (%v)", err)
		}
		if err := carriedName(h); err != nil {
			return nil, err
		}
		if _, twice := c[h.Name]; twice {
			return nil, badCarried("%q is in it twice", h.Name)
		}
		if left -= h.Size; left < 0 || len(c) == maxCarriedFiles {
			return nil, carriedTooLarge()
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return nil, badCarried("it is broken (%v)", err)
		}
		c[h.Name] = CarriedFile{text, h.Mode&0o111 != 0}
	}
	return c, c.check()
}

func carriedName(h *tar.Header) error {
	name := h.Name
	switch {
	case h.Typeflag != tar.TypeReg:
		return badCarried("%q is not a plain file", name)
	case !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\\") || len(name) > maxCarriedPath || path.Clean(name) != name || !filepath.IsLocal(name):
		return badCarried("%q is not the name of a file of it", name)
	case name != LockFile && !strings.HasPrefix(name, ModulesDir+"/"):
		return badCarried("%q is neither a module's file nor the lock file", name)
	}
	return nil
}

// check looks at what the files say together.
func (c Carried) check() error {
	for name := range c {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, both := c[dir]; both {
				return badCarried("%q is a file and a directory", dir)
			}
		}
	}
	entries, err := c.Modules()
	if err != nil {
		return err
	}
	for _, m := range entries {
		if !filepath.IsLocal(filepath.FromSlash(path.Clean(filepath.ToSlash(m.Dir)))) {
			return badCarried("the module %q lies outside of the template", m.Key)
		}
	}
	return nil
}

// Modules lists what modules there are, the root among them.
func (c Carried) Modules() ([]Entry, error) {
	file, ok := c[manifest]
	if !ok {
		return nil, nil
	}
	var list struct{ Modules []Entry }
	if err := json.Unmarshal(file.Data, &list); err != nil {
		return nil, badCarried("its list of modules cannot be read (%v)", err)
	}
	return list.Modules, nil
}

// ForHost gives the archive for an engine whose public registry is another one
// than that of the engine which resolved it: terraform's is
// registry.terraform.io, tofu's registry.opentofu.org. The modules are the same;
// only their list names where they came from.
func (c Carried) ForHost(host string) Carried {
	file, ok := c[manifest]
	if !ok {
		return c
	}
	text := string(file.Data)
	for _, other := range Registries {
		text = strings.ReplaceAll(text, `"Source":"`+other+"/", `"Source":"`+host+"/")
	}
	moved := maps.Clone(c)
	moved[manifest] = CarriedFile{Data: []byte(text)}
	return moved
}

// Registries are the public ones of terraform and of tofu.
var Registries = []string{"registry.terraform.io", "registry.opentofu.org"}

// Remote tells whether a module comes from somewhere else than its template.
func (e Entry) Remote() bool {
	return e.Key != "" && !strings.HasPrefix(e.Source, "./") && !strings.HasPrefix(e.Source, "../")
}

func badCarried(format string, args ...any) error {
	return berth.Errorf(berth.Invalid, "the archive of the version's modules is not one of Berth's: "+format, args...)
}
