package warm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/berthdev/berth/internal/journal"
)

// Options say where a House keeps plugins and how many.
type Options struct {
	Dir    string   // of the house alone; the plugins' user must be able to reach it
	Env    []string // of every plugin
	User   *syscall.Credential
	Warden []string // the command of the process that ends what is left when we were killed; it gets Dir. Empty: there is none

	Sets      int           // most sets at a time
	Memory    int64         // bytes that all of them together may use before unused ones end; 0: no bound
	MaxAge    time.Duration // of a process
	MaxBuilds int           // that a process serves
	MaxIdle   time.Duration // for which a set is kept that nobody uses
	Log       *slog.Logger

	Launch func(context.Context, journal.Command) (Process, journal.Upstream, error) // nil: journal.Launch
	End    func(ctx context.Context, set string) error                               // ends what a set's plugins left running, by its mark
	Weigh  func(pid int) int64                                                       // nil: what the kernel says
}

// Process is a plugin that runs.
type Process interface {
	Pid() int
	Done() <-chan struct{}
	Kill()
}

// Plugin is one that a build needs and that does not read the build's environment.
type Plugin struct {
	Source string `json:"source"`
	Path   string `json:"path"` // of its binary
}

// Key names builds that may use the same processes one after the other.
type Key struct {
	Organization  string `json:"organization"`
	Template      string `json:"template"`
	Installation  string `json:"installation"`
	Configuration string `json:"configuration"` // of the version: a digest of its variables
}

// Want is what a build asks for.
type Want struct {
	Build   string   `json:"build"`
	Key     Key      `json:"key"`
	Plugins []Plugin `json:"plugins"`
}

// Lease is what a build gets. It has it until End.
type Lease struct {
	Build   string             `json:"build"`
	Set     string             `json:"set,omitempty"`  // empty: it needed none
	Seat    string             `json:"seat,omitempty"` // where its plugins work; to be moved, and put back
	Plugins []journal.Upstream `json:"plugins,omitempty"`
}

// House keeps plugins. Make one with Open.
type House struct {
	o Options

	mu     sync.Mutex
	sets   map[string]*set // by id
	warden *warden         // nil: not started
	closed bool
	stop   chan struct{}
	done   sync.WaitGroup
}

// Names of what is in a set's directory.
const (
	seatName  = "seat"
	homeName  = "home"
	tempName  = "tmp"
	LeaseName = "lease" // there while a build has the set; it names the build
)

// Open makes a House. Left must be asked first for what an earlier one left.
func Open(o Options) (*House, error) {
	if o.Launch == nil {
		o.Launch = func(ctx context.Context, c journal.Command) (Process, journal.Upstream, error) {
			p, up, err := journal.Launch(ctx, c)
			return p, up, err
		}
	}
	if o.Weigh == nil {
		o.Weigh = weigh
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	// The warden looks for directories without a lease when we are gone.
	if err := errors.Join(os.MkdirAll(o.Dir, 0o755), os.Chmod(o.Dir, 0o755)); err != nil {
		return nil, fmt.Errorf("making the directory of warm plugins: %w", err)
	}
	h := &House{o: o, sets: map[string]*set{}, stop: make(chan struct{})}
	h.done.Go(h.look)
	return h, nil
}

// Left finds what an earlier House has left in dir: by set, the build that has
// it, or "".
func Left(dir string) map[string]string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	left := map[string]string{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		left[e.Name()] = leased(filepath.Join(dir, e.Name()))
	}
	return left
}

// Take gives a build plugins, started now if none wait for it. An error means
// that it has to do without.
func (h *House) Take(ctx context.Context, w Want) (Lease, error) {
	l := Lease{Build: w.Build}
	if len(w.Plugins) == 0 {
		return l, nil
	}
	if err := h.watched(); err != nil {
		return l, err
	}
	s, err := h.set(ctx, w)
	if err != nil {
		return l, err
	}
	l.Set, l.Seat, l.Plugins = s.id, filepath.Join(s.dir, seatName), slices.Clone(s.upstreams)
	return l, nil
}

func (h *House) set(ctx context.Context, w Want) (*set, error) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, errors.New("the runner is stopping")
	}
	for _, s := range h.waiting() {
		if s.key == w.Key && s.serves(w.Plugins) && !s.dead() && s.note(w.Build) == nil {
			s.build = w.Build
			h.mu.Unlock()
			return s, nil
		}
	}
	// Room is made before, so that there are never more than there may be.
	ended := h.evict(len(h.sets) + 1 - h.o.Sets)
	full := len(h.sets) >= h.o.Sets
	s := &set{id: strings.ToLower(rand.Text()), key: w.Key, plugins: w.Plugins, build: w.Build, born: time.Now()}
	s.dir = filepath.Join(h.o.Dir, s.id)
	if !full {
		h.sets[s.id] = s
	}
	h.mu.Unlock()
	h.end(ended)
	if full {
		return nil, errors.New("all places for warm plugins are in use")
	}
	if err := h.launch(ctx, s); err != nil {
		h.drop(s)
		return nil, err
	}
	return s, nil
}

// waiting lists the sets that no build has, the last used first, dead ones last.
func (h *House) waiting() []*set {
	var list []*set
	for _, s := range h.sets {
		if s.build == "" {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *set) int {
		if a, b := a.dead(), b.dead(); a != b {
			return map[bool]int{true: 1, false: -1}[a]
		}
		return b.used.Compare(a.used)
	})
	return list
}

// note writes down which build has a set. The directory belongs to the plugins'
// user, so what lies there is neither followed nor written to.
func (s *set) note(build string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(LeaseName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := root.OpenFile(LeaseName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(build + "\n")
	return errors.Join(err, file.Close())
}

// leased is the build that the set in dir was noted for; "" if that cannot be told.
func leased(dir string) string {
	const most = 1024
	root, err := os.OpenRoot(dir)
	if err != nil {
		return ""
	}
	defer root.Close()
	file, err := root.OpenFile(LeaseName, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	build, _ := io.ReadAll(io.LimitReader(file, most))
	return strings.TrimSpace(string(build))
}

// Return gives a build's set back: well says that the build used it to a good
// end and has put the seat back.
func (h *House) Return(build string, well bool) {
	h.mu.Lock()
	var mine *set
	for _, s := range h.sets {
		if s.build == build {
			mine = s
		}
	}
	h.mu.Unlock()
	if mine == nil {
		return
	}
	if !well || h.closing() || mine.clear() != nil {
		h.drop(mine)
		return
	}
	h.mu.Lock()
	mine.used, mine.builds, mine.weight = time.Now(), mine.builds+1, h.weigh(mine)
	worn := mine.builds >= h.o.MaxBuilds || time.Since(mine.born) >= h.o.MaxAge
	var ended []*set
	if err := os.Remove(filepath.Join(mine.dir, LeaseName)); err != nil || worn {
		ended = append(ended, h.take(mine))
	} else {
		mine.build = ""
		ended = h.slim()
	}
	h.mu.Unlock()
	h.end(ended)
}

func (h *House) closing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// drop ends a set.
func (h *House) drop(s *set) {
	h.mu.Lock()
	h.take(s)
	h.mu.Unlock()
	h.end([]*set{s})
}

// take takes a set out of the house; whoever calls ends it.
func (h *House) take(s *set) *set {
	delete(h.sets, s.id)
	return s
}

func (h *House) end(list []*set) {
	for _, s := range list {
		for _, p := range s.processes {
			p.Kill()
		}
		End(h.o.Dir, s.id, h.o.End, h.o.Log)
	}
}

// End ends a set that is in nobody's House: what is left of its plugins, and its
// directory.
func End(dir, id string, kill func(context.Context, string) error, log *slog.Logger) {
	if kill != nil {
		if err := kill(context.Background(), id); err != nil {
			log.Warn("ending warm plugins", "set", id, "error", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("removing the directory of warm plugins", "set", id, "error", err)
	}
}

// Close ends what no build uses. What builds use is left to them.
func (h *House) Close() {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	close(h.stop)
	ended := h.evict(len(h.sets))
	warden := h.warden
	h.mu.Unlock()
	h.done.Wait()
	h.end(ended)
	if warden != nil {
		warden.in.Close()
	}
}
