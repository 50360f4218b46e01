package warm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berthdev/berth/internal/journal"
)

// set is the processes of one build's plugins, other than those with slots.
type set struct {
	id, dir   string
	key       Key
	plugins   []Plugin
	processes []Process
	upstreams []journal.Upstream

	build  string // that has it; "" while it waits
	born   time.Time
	used   time.Time // last
	builds int
	weight int64
}

func (s *set) serves(plugins []Plugin) bool { return slices.Equal(s.plugins, plugins) }

// dead tells whether a process of s has ended.
func (s *set) dead() bool {
	for _, p := range s.processes {
		select {
		case <-p.Done():
			return true
		default:
		}
	}
	return false
}

// Variable names the set in the environment of its processes and of all that they
// start.
const Variable = "BERTH_WARM"

// launch starts the plugins of a set, for the build that it is made for.
func (h *House) launch(ctx context.Context, s *set) error {
	home, temp := filepath.Join(s.dir, homeName), filepath.Join(s.dir, tempName)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return fmt.Errorf("making room for plugins: %w", err)
	}
	for _, dir := range []string{home, temp, filepath.Join(s.dir, seatName)} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("making room for plugins: %w", err)
		}
	}
	if err := errors.Join(journal.Give(s.dir, h.o.User), s.note(s.build)); err != nil {
		return fmt.Errorf("making room for plugins: %w", err)
	}
	for _, p := range s.plugins {
		process, up, err := h.o.Launch(ctx, journal.Command{
			Source: p.Source, Path: p.Path, Dir: filepath.Join(s.dir, seatName), Temp: temp, Detached: true,
			Env:  append(slices.Clone(h.o.Env), "HOME="+home, Variable+"="+s.id),
			Attr: &syscall.SysProcAttr{Setsid: true, Credential: h.o.User},
		})
		if err != nil {
			return err
		}
		s.processes, s.upstreams = append(s.processes, process), append(s.upstreams, up)
	}
	return nil
}

// clear removes what a build left: everything in the seat and in the home, and
// all that is in the directory of temporary files but the sockets of the plugins.
// What is there belongs to another user, so nothing in it is followed.
func (s *set) clear() error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range []string{seatName, homeName, tempName} {
		if err := s.empty(root, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *set) empty(root *os.Root, name string) error {
	dir, err := root.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	dir.Close()
	if err != nil {
		return err
	}
	for _, entry := range names {
		path := filepath.Join(name, entry)
		if s.socket(path) {
			continue
		}
		if err := root.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// socket tells whether path, in the directory of s, is where a plugin serves.
func (s *set) socket(path string) bool {
	return slices.ContainsFunc(s.upstreams, func(up journal.Upstream) bool { return up.Address == filepath.Join(s.dir, path) })
}

// weigh is the memory that the process has for itself, in bytes.
func weigh(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(fields[1], 10, 64)
	shared, _ := strconv.ParseInt(fields[2], 10, 64) // the program itself, which all of one kind share
	return (resident - shared) * int64(os.Getpagesize())
}

func (h *House) weigh(s *set) int64 {
	var sum int64
	for _, p := range s.processes {
		sum += h.o.Weigh(p.Pid())
	}
	return sum
}
