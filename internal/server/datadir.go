package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/berthdev/berth"
)

// dataDir is the data directory and its rooms. What is secret is closed to
// others; the build user passes through to work.
type dataDir struct {
	root string
	lock *os.File
}

func (d dataDir) keys() string   { return filepath.Join(d.root, "keys") }
func (d dataDir) runner() string { return filepath.Join(d.root, "runner") }
func (d dataDir) work() string   { return filepath.Join(d.root, "work") }
func (d dataDir) mirror() string { return filepath.Join(d.root, "work", "mirror") }

// processes has the homes of workspaces that are processes of this machine.
func (d dataDir) processes() string { return filepath.Join(d.root, "work", "processes") }

// openDataDir makes the rooms that are missing, and locks the directory until
// close or the end of the process, however it ends.
func openDataDir(path string) (_ *dataDir, err error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the data directory: %w", err)
	}
	d := &dataDir{root: root}
	rooms := []struct {
		path string
		mode fs.FileMode
	}{
		{root, 0o711},
		{filepath.Join(root, "db"), 0o700},
		{d.keys(), 0o700},
		{d.runner(), 0o700},
		{d.work(), 0o711},
		{d.mirror(), 0o755},
		{filepath.Join(d.work(), "installations"), 0o755},
		{d.processes(), 0o711},
	}
	for i, room := range rooms {
		made, err := makeRoom(room.path, room.mode)
		if err != nil {
			return nil, dataProblem(path, err)
		}
		// The rooms are ours whoever made them; the root may be a directory
		// that somebody gave us, with rights that they chose.
		if i > 0 || made {
			if err := os.Chmod(room.path, room.mode); err != nil {
				return nil, dataProblem(path, err)
			}
		}
		if i == 0 {
			if d.lock, err = lockFile(filepath.Join(root, "lock")); err != nil {
				return nil, dataProblem(path, err)
			}
			defer func() {
				if err != nil {
					d.close()
				}
			}()
		}
	}
	return d, nil
}

func makeRoom(path string, mode fs.FileMode) (made bool, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return false, &fs.PathError{Op: "use", Path: path, Err: syscall.ENOTDIR}
	case err == nil:
		return false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	return true, os.MkdirAll(path, mode)
}

// dataProblem says what is wrong with the data directory and what to do.
func dataProblem(path string, err error) error {
	say := func(code berth.Code, text string) error {
		return &berth.Error{Code: code, Message: fmt.Sprintf(text, path), Err: err}
	}
	switch {
	case errors.Is(err, errLocked):
		return say(berth.Conflict, "another server works in --data %s: stop it first, or give this one another directory")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return say(berth.Forbidden, "--data %s cannot be written by this user: change its owner, or give another directory")
	case errors.Is(err, syscall.ENOTDIR):
		return say(berth.Invalid, "--data %s is not, or does not lie in, a directory: give another one")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return say(berth.Unavailable, "the disk of --data %s is full: make room, or give a directory on another one")
	}
	return fmt.Errorf("opening the data directory %s: %w", path, err)
}

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked by another process")

// lockPatience is how long a lock may be held by a process that a server was just
// starting when it was killed: until that has become its program it holds for a
// moment all that the server had open.
const lockPatience = 3 * time.Second

// lockFile takes a lock that the kernel lets go when this process ends. The
// file is not handed to children.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) && time.Since(began) < lockPatience {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = errLocked
	}
	f.Close()
	return nil, err
}

func (d *dataDir) close() {
	if d.lock != nil {
		d.lock.Close()
	}
}
