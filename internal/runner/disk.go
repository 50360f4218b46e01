package runner

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// replace writes data to path so that a reader, and a machine that lost its
// power, find the whole of the old or the whole of the new. Mode is 0600.
func replace(path string, data []byte) error {
	staged, err := stage(path, data)
	if err != nil {
		return err
	}
	return commit(staged, path)
}

// stage is the half of replace that needs room on the disk; commit the other.
func stage(path string, data []byte) (staged string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func commit(staged, path string) error {
	if err := os.Rename(staged, path); err != nil {
		os.Remove(staged)
		return err
	}
	return syncDir(filepath.Dir(path))
}

func replaceJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replace(path, data)
}

// readJSON fills v from the file; found is false when there is none.
func readJSON(path string, v any) (found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(data, v)
}

// syncDir makes renames in dir survive a crash of the machine.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// full tells whether err says that a disk or quota is used up.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// free is how many bytes an ordinary user may still write to dir's disk.
func free(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// replaceLoosely is for what may be lost: it does not wait for the disk.
func replaceLoosely(path string, v any) {
	data, err := json.Marshal(v)
	if err == nil && os.WriteFile(path+".new", data, 0o600) == nil {
		os.Rename(path+".new", path)
	}
}
