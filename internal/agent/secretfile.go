package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	secretMode    = 0o600
	secretDirMode = 0o700
)

// placeSecret writes value to the file that a secret names: ~/… or /…. Folders
// are made for it. A file that is there keeps its permissions; one that has the
// value already is not touched. A path in the home stays in the home, also
// through links.
func placeSecret(name string, value []byte, env []string) error {
	path, err := secretPath(name, env)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), secretDirMode); err != nil {
			return err
		}
		return replaceFile(path, value, secretMode)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("there is something that is not a file")
	}
	if same(path, value, info.Size()) {
		return nil
	}
	// Replaced as a whole, a reader never sees half of it, and a full disk
	// leaves the old one. But a new file would lose a foreign owner and other
	// names of the old one.
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == os.Geteuid() && stat.Nlink == 1 {
		if err := replaceFile(path, value, info.Mode().Perm()); err == nil || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return err
		}
	}
	return overwriteFile(path, value)
}

// secretPath is where name leads, with links followed.
func secretPath(name string, env []string) (string, error) {
	if strings.ContainsRune(name, 0) || strings.HasSuffix(name, "/") {
		return "", fmt.Errorf("it is not the path of a file")
	}
	home := value(env, "HOME")
	rest, inHome := strings.CutPrefix(name, "~/")
	switch {
	case inHome:
		if !filepath.IsLocal(rest) {
			return "", fmt.Errorf("it leads out of the home directory")
		}
		name = filepath.Join(home, rest)
	case !filepath.IsAbs(name):
		return "", fmt.Errorf("a path begins with ~/ or /")
	}
	path, err := follow(filepath.Clean(name))
	if err != nil || !inHome {
		return path, err
	}
	realHome, err := filepath.EvalSymlinks(home)
	if err != nil {
		return "", err
	}
	if inside, err := filepath.Rel(realHome, path); err != nil || !filepath.IsLocal(inside) {
		return "", fmt.Errorf("a link on the way leads out of the home directory, to %s", path)
	}
	return path, nil
}

// follow resolves the links in the part of path that exists.
func follow(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("%s is a link that leads nowhere", path)
	}
	dir, err := follow(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

func same(path string, value []byte, size int64) bool {
	if size != int64(len(value)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, value)
}

// replaceFile puts a new file in the place of path, or leaves all as it was.
func replaceFile(path string, value []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".berth-secret-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(value); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func overwriteFile(path string, value []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	n, err := f.Write(value)
	if err == nil && n < len(value) {
		err = io.ErrShortWrite
	}
	return errors.Join(err, f.Close())
}
