package terraform

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Installer makes installations: template archives with their plugins and
// modules resolved.
type Installer struct {
	Engine Engine
	// Mirror is a directory of unpacked plugins, or several, separated like PATH.
	Mirror string
	// PluginURLs are mirrors of plugins on the network. What they have is copied
	// into installations.
	PluginURLs []string
	// ModuleMirrors are asked for modules with registry addresses before the
	// registries.
	ModuleMirrors []ModuleMirror
	// Dir keeps the installations.
	Dir string
	As  *As
}

// Installation is a template's archive, unpacked, with links to its plugins
// and copies of its modules. It is read-only and shared by builds.
type Installation struct {
	Dir    string   `json:"dir"`             // of the template's files
	Mirror string   `json:"mirror"`          // that its plugins came from
	Notes  []string `json:"notes,omitempty"` // what its making has to say to the template's author
}

// Template is what an installation is made of.
type Template struct {
	Hash    string                                       // of its archive
	Archive func(context.Context) (io.ReadCloser, error) // a tar as internal/templates normalises it
	// Carried is the hash of the archive with what the import of the version
	// resolved, and Modules opens it; empty: modules are had from where they are.
	Carried string
	Modules func(context.Context) (io.ReadCloser, error)
	// Anew resolves modules from elsewhere again though it was done before.
	Anew bool
}

// Ensure gives the installation of the archive with this hash; see EnsureOf.
func (i *Installer) Ensure(ctx context.Context, hash string, archive func(context.Context) (io.ReadCloser, error), log func(berth.Log)) (Installation, error) {
	return i.EnsureOf(ctx, Template{Hash: hash, Archive: archive}, log)
}

// EnsureOf gives the installation of a template and makes it first when there is
// none for the present plugins. The archives are opened only then. Two calls at
// once, in one process or several, are safe. Errors in the template are *RunError.
func (i *Installer) EnsureOf(ctx context.Context, t Template, log func(berth.Log)) (Installation, error) {
	for _, hash := range []string{t.Hash, cmp.Or(t.Carried, t.Hash)} {
		if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
			return Installation{}, berth.Errorf(berth.Invalid, "%q is not the hash of an archive", hash)
		}
	}
	if err := os.MkdirAll(i.Dir, 0o755); err != nil {
		return Installation{}, fmt.Errorf("making the directory of installations: %w", err)
	}
	print, err := fingerprint(mirrors(i.Mirror), filepath.Join(i.Dir, "mirror.json"))
	if err != nil {
		return Installation{}, err
	}
	kind := "terraform"
	if i.Engine.Tofu {
		kind = "tofu"
	}
	name := t.Hash + "-" + kind + "-" + print[:16] + "-"
	if made, ok := i.made(name, t); ok {
		return made, nil
	}
	unlock, err := lock(ctx, filepath.Join(i.Dir, "."+t.Hash+".lock"))
	if err != nil {
		return Installation{}, err
	}
	defer unlock()
	if made, ok := i.made(name, t); ok {
		return made, nil // somebody else made it while we waited
	}
	return i.install(ctx, name, t, log)
}

// short is as much of a hash as tells installations apart.
const short = 16

// made is the installation of a template if there is one. The end of its name
// is the hash of what it carries.
func (i *Installer) made(name string, t Template) (Installation, bool) {
	if t.Carried != "" {
		return i.at(filepath.Join(i.Dir, name+t.Carried[:short]))
	}
	found, _ := filepath.Glob(filepath.Join(i.Dir, name+strings.Repeat("?", short)))
	for _, path := range found {
		if made, ok := i.at(path); ok && !(t.Anew && slices.ContainsFunc(source.Manifest(made.Dir), source.Entry.Remote)) {
			return made, true
		}
	}
	return Installation{}, false
}

// at is the installation at path if there is one.
func (i *Installer) at(path string) (Installation, bool) {
	made := Installation{Dir: filepath.Join(path, "template"), Mirror: i.Mirror}
	if !there(path) {
		return made, false
	}
	if text, err := os.ReadFile(filepath.Join(path, notesName)); err == nil {
		_ = json.Unmarshal(text, &made.Notes) // only what is said at an import
	}
	return made, true
}

func there(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// lock takes the file lock at path. It ends with the process, so nothing stays
// locked after a crash.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking an installation: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			file.Close()
			return nil, fmt.Errorf("locking an installation: %w", err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, canceled(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Names beside the template of an installation.
const (
	carriedName = "carried.tar"
	notesName   = "notes.json"
)

// install makes an installation whose name begins with name. What runs as
// another user works on a copy; only what we have read from it and checked gets
// into the installation.
func (i *Installer) install(ctx context.Context, name string, t Template, log func(berth.Log)) (Installation, error) {
	i.sweep()
	fresh, err := os.MkdirTemp(i.Dir, ".new-*")
	if err != nil {
		return Installation{}, fmt.Errorf("making an installation: %w", err)
	}
	defer discard(fresh)
	template := filepath.Join(fresh, "template")
	if err := errors.Join(os.Chmod(fresh, 0o755), os.Mkdir(template, 0o755)); err != nil {
		return Installation{}, fmt.Errorf("making an installation: %w", err)
	}
	given, err := i.fill(ctx, template, t)
	if err != nil {
		return Installation{}, err
	}
	root, err := readRoot(template)
	if err != nil {
		return Installation{}, err
	}
	if err := checkBackend(root); err != nil {
		return Installation{}, err
	}
	notes, err := i.resolve(ctx, template, t, given, log)
	if err != nil {
		return Installation{}, err
	}
	carried, note, err := carry(fresh, t.Carried)
	if err != nil {
		return Installation{}, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	if len(notes) > 0 {
		text, err := json.Marshal(notes)
		if err := errors.Join(err, writeWhole(filepath.Join(fresh, notesName), text, 0o444)); err != nil {
			return Installation{}, fmt.Errorf("making an installation: %w", err)
		}
	}
	if err := freeze(template); err != nil {
		return Installation{}, fmt.Errorf("making an installation read-only: %w", err)
	}
	final := filepath.Join(i.Dir, name+carried[:short])
	if made, same := i.at(final); same { // resolved anew, and nothing had changed
		return made, nil
	}
	if err := os.Rename(fresh, final); err != nil {
		return Installation{}, fmt.Errorf("making an installation: %w", err)
	}
	made, _ := i.at(final)
	return made, nil
}

// fill unpacks the template's archives, and gives what its lock file says.
func (i *Installer) fill(ctx context.Context, template string, t Template) (lock []byte, err error) {
	r, err := t.Archive(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the template's archive: %w", err)
	}
	err = unpack(template, r)
	r.Close()
	if err != nil {
		return nil, err
	}
	lock, err = takeLock(template)
	if err != nil || t.Carried == "" {
		return lock, err
	}
	return i.unpackCarried(ctx, template, t)
}

// stale is how old an unfinished installation is when nobody can be at it any more.
const stale = 6 * time.Hour

// sweep removes what installations left behind that were killed.
func (i *Installer) sweep() {
	for _, pattern := range []string{".new-*", ".init-*", ".mirror-*"} {
		found, _ := filepath.Glob(filepath.Join(i.Dir, pattern))
		for _, path := range found {
			if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > stale {
				discard(path)
			}
		}
	}
}

// freeze makes everything below dir read-only.
func freeze(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o444)
		if info.Mode()&0o111 != 0 {
			mode = 0o555
		}
		return os.Chmod(path, mode) // a directory stays readable, so the walk goes on
	})
}

// discard removes a directory that may be frozen in part.
func discard(dir string) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o755)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}

// Remove removes the installation. Builds that use it fail.
func (i Installation) Remove() error {
	dir := filepath.Dir(i.Dir)
	discard(dir)
	if there(dir) {
		return fmt.Errorf("removing the installation %s: it cannot be removed", dir)
	}
	return nil
}
