package terraform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berthdev/berth"
)

// Installer makes installations: template archives with their plugins and
// modules resolved.
type Installer struct {
	Engine Engine
	// Mirror is a directory of unpacked plugins, or several, separated like PATH.
	Mirror string
	// Dir keeps the installations.
	Dir string
	As  *As
}

// Installation is a template's archive, unpacked, with links to its plugins
// and copies of its modules. It is read-only and shared by builds.
type Installation struct {
	Dir    string `json:"dir"`    // of the template's files
	Mirror string `json:"mirror"` // that its plugins came from
}

// Ensure gives the installation of the archive with this hash and makes it
// first when there is none for the present plugins. archive is opened only
// then; it is a tar as internal/templates normalises it. Two calls at once, in
// one process or several, are safe. Errors in the template are *RunError.
func (i *Installer) Ensure(ctx context.Context, hash string, archive func(context.Context) (io.ReadCloser, error), log func(berth.Log)) (Installation, error) {
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
		return Installation{}, berth.Errorf(berth.Invalid, "%q is not the hash of an archive", hash)
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
	final := filepath.Join(i.Dir, hash+"-"+kind+"-"+print[:16])
	made := Installation{Dir: filepath.Join(final, "template"), Mirror: i.Mirror}
	if there(final) {
		return made, nil
	}
	unlock, err := lock(ctx, filepath.Join(i.Dir, "."+hash+".lock"))
	if err != nil {
		return Installation{}, err
	}
	defer unlock()
	if there(final) {
		return made, nil // somebody else made it while we waited
	}
	return made, i.install(ctx, hash, final, archive, log)
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

// install makes the installation final. What runs as another user works on a
// copy; only what we have read from it and checked gets into the installation.
func (i *Installer) install(ctx context.Context, hash, final string, archive func(context.Context) (io.ReadCloser, error), log func(berth.Log)) error {
	i.sweep()
	fresh, err := os.MkdirTemp(i.Dir, ".new-*")
	if err != nil {
		return fmt.Errorf("making an installation: %w", err)
	}
	defer discard(fresh)
	template := filepath.Join(fresh, "template")
	if err := errors.Join(os.Chmod(fresh, 0o755), os.Mkdir(template, 0o755)); err != nil {
		return fmt.Errorf("making an installation: %w", err)
	}
	r, err := archive(ctx)
	if err != nil {
		return fmt.Errorf("getting the template's archive: %w", err)
	}
	err = unpack(template, r)
	r.Close()
	if err != nil {
		return err
	}
	root, err := readRoot(template)
	if err != nil {
		return err
	}
	if err := checkBackend(root); err != nil {
		return err
	}
	if err := i.resolve(ctx, hash, template, log); err != nil {
		return err
	}
	if err := freeze(template); err != nil {
		return fmt.Errorf("making an installation read-only: %w", err)
	}
	if err := os.Rename(fresh, final); err != nil {
		return fmt.Errorf("making an installation: %w", err)
	}
	return nil
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
