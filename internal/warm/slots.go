package warm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// slots is the process that serves the coder plugin to many builds.
type slots struct {
	cmd   *exec.Cmd
	in    io.Closer // when it is closed, the process ends with its last build
	dir   string
	born  time.Time
	given atomic.Int64 // how often a build was sent there
	gone  chan struct{}
}

// Names in the directory of a process with slots, which such a process has to use.
const (
	ControlName = "control" // the socket on which builds ask
	LockName    = "lock"    // held while the process lives
)

// slotsPrefix begins the names of such directories.
const slotsPrefix = "slots-"

// sweepSlots removes the directories of processes with slots that were killed.
// One of an earlier runner may still serve its last builds.
func sweepSlots(dir string) {
	found, _ := filepath.Glob(filepath.Join(dir, slotsPrefix+"*"))
	for _, path := range found {
		if file, err := os.OpenFile(filepath.Join(path, LockName), os.O_RDWR, 0); err == nil {
			err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
			file.Close()
			if err != nil {
				continue
			}
		}
		os.RemoveAll(path)
	}
}

// readyWait is how long it may take to say that it listens.
const readyWait = 20 * time.Second

// control gives the socket of the process with slots, which is started if there
// is none.
func (h *House) control(context.Context) (string, error) {
	if len(h.o.Slots) == 0 {
		return "", nil
	}
	h.mu.Lock()
	defer h.mu.Unlock() // whoever comes meanwhile needs the same process
	if h.closed {
		return "", errors.New("the runner is stopping")
	}
	if worn := h.worn(); worn != nil {
		go worn.release()
	}
	if h.slots == nil {
		s, err := h.startSlots()
		if err != nil {
			return "", fmt.Errorf("starting a process with slots: %w", err)
		}
		h.slots = s
	}
	h.slots.given.Add(1)
	return filepath.Join(h.slots.dir, ControlName), nil
}

// worn takes the process with slots out when it is dead, old, or has served long
// enough.
func (h *House) worn() *slots {
	s := h.slots
	if s == nil {
		return nil
	}
	select {
	case <-s.gone:
	default:
		if time.Since(s.born) < h.o.MaxAge && s.given.Load() < int64(h.o.MaxBuilds) {
			return nil
		}
	}
	h.slots = nil
	return s
}

// maxSocketDir is the longest name of a directory in which a socket can be named.
const maxSocketDir = 107 - len("/"+ControlName)

func (h *House) startSlots() (*slots, error) {
	s := &slots{born: time.Now(), gone: make(chan struct{})}
	at := h.o.Dir
	if len(at)+len("/"+slotsPrefix)+10 > maxSocketDir { // MkdirTemp adds ten digits at most
		at = "/tmp"
	}
	var err error
	if s.dir, err = os.MkdirTemp(at, slotsPrefix); err != nil {
		return nil, err
	}
	if err := give(s.dir, h.o.User); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	args := append(h.o.Slots[1:len(h.o.Slots):len(h.o.Slots)], s.dir, h.o.Dir)
	for _, uid := range h.o.Peers {
		args = append(args, strconv.FormatUint(uint64(uid), 10))
	}
	s.cmd = exec.Command(h.o.Slots[0], args...)
	s.cmd.Args[0] = "berth-plugin" // by another name it would be one plugin
	s.cmd.Env, s.cmd.Dir = append(h.o.Env[:len(h.o.Env):len(h.o.Env)], "HOME="+s.dir, "TMPDIR="+s.dir), s.dir
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: h.o.User}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.in = in
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	return s, s.await(out)
}

// await waits until the process listens, and sees to its end.
func (s *slots) await(out io.Reader) error {
	said := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		line, _ := bufio.NewReader(io.LimitReader(out, 4096)).ReadString('\n')
		said <- strings.TrimSpace(line)
	}()
	go func() {
		<-read
		s.cmd.Wait()
		os.RemoveAll(s.dir)
		close(s.gone)
	}()
	select {
	case line := <-said:
		if line == "ready" {
			return nil
		}
	case <-time.After(readyWait):
	}
	s.cmd.Process.Kill()
	return errors.New("it does not say that it is ready")
}

func (s *slots) pid() int { return s.cmd.Process.Pid }

// release lets the process end with its last build.
func (s *slots) release() { s.in.Close() }
