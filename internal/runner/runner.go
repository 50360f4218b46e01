package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// Runner takes builds of one provider. Make one with New, then call Run once.
type Runner struct {
	o    Options
	id   string // durable, bound to o.Dir
	lock *os.File

	warmth *warmth // nil: no plugins stay between builds

	freed chan struct{} // a slot became free, or doubt came up
	doubt atomic.Bool   // whether the server knows what we hold: report again
	wg    sync.WaitGroup

	mu      sync.Mutex
	held    map[string]*held // by record name
	engine  terraform.Engine
	seen    os.FileInfo // of engine's executable when it was asked for its version
	problem string
	beat    time.Duration

	locate  func(context.Context, string) (terraform.Engine, error)
	wait    time.Duration // of a take
	recheck time.Duration // of a problem
}

// New makes a runner and looks whether it can work where it is told to. The
// directories are made if need be.
func New(o Options) (*Runner, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := layOut(o); err != nil {
		return nil, err
	}
	return &Runner{
		o: o, freed: make(chan struct{}, 1), held: map[string]*held{},
		locate: terraform.Find, beat: 10 * time.Second, wait: 30 * time.Second, recheck: 30 * time.Second,
	}, nil
}

// layOut makes the directories: the runner's own are for nobody else, and the
// build user may pass through, not list, those that lead to its builds.
func layOut(o Options) error {
	for _, dir := range []struct {
		path string
		mode os.FileMode
	}{
		{o.Dir, 0o700}, {filepath.Join(o.Dir, "builds"), 0o700}, {filepath.Join(o.Dir, "archives"), 0o700},
		{o.Work, 0o711}, {filepath.Join(o.Work, "builds"), 0o711},
	} {
		if err := os.MkdirAll(dir.path, dir.mode); err != nil {
			return fmt.Errorf("making the runner's directories: %w", err)
		}
		if err := os.Chmod(dir.path, dir.mode); err != nil { // made before, or under another umask
			return fmt.Errorf("closing the runner's directories: %w", err)
		}
	}
	return reachable(filepath.Join(o.Work, "builds"), o.As)
}

// lockPatience is how long a lock may be held by a process that was just forked
// off an earlier runner and has not become its program yet: it holds for a moment
// all that the runner had open.
const lockPatience = 3 * time.Second

// ownDisk makes this runner the one of its disk.
func (r *Runner) ownDisk(ctx context.Context) (lock *os.File, err error) {
	for began := time.Now(); ; {
		lock, err = tryLock(filepath.Join(r.o.Dir, "lock"))
		if !errors.Is(err, errLocked) || time.Since(began) > lockPatience {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Run works until ctx is done: it finds the keepers of an earlier run, reports
// to the server, and takes builds. When it returns, keepers may be running on;
// the next Run on the same disk goes on with them. An error says that this
// disk cannot be worked on at all.
func (r *Runner) Run(ctx context.Context) error {
	lock, err := r.ownDisk(ctx)
	if errors.Is(err, errLocked) {
		return berth.Errorf(berth.Conflict, "another runner works in %s: stop it first, or give this one another data directory", r.o.Dir)
	}
	if err != nil {
		return fmt.Errorf("locking %s: %w", r.o.Dir, err)
	}
	defer lock.Close()
	if r.id, err = durableID(filepath.Join(r.o.Dir, "id")); err != nil {
		return fmt.Errorf("reading the runner's id: %w", err)
	}
	if err := r.find(); err != nil {
		return fmt.Errorf("looking for keepers: %w", err)
	}
	r.warmth = r.openWarmth()
	defer r.warmth.close()
	defer r.wg.Wait()
	r.check(ctx)
	if !r.hello(ctx) || !r.resume(ctx) {
		return nil
	}
	r.takeAll(ctx)
	return nil
}

// Problem is why the runner cannot take builds now, a sentence with the cure;
// empty if it can.
func (r *Runner) Problem() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problem
}

// Holds are the builds that the runner answers for.
func (r *Runner) Holds() []api.HeldBuild {
	var holds []api.HeldBuild
	for _, h := range r.all() {
		holds = append(holds, h.rec.held())
	}
	return holds
}

func (r *Runner) all() []*held {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*held, 0, len(r.held))
	for _, h := range r.held {
		all = append(all, h)
	}
	return all
}

// durableID reads the id of this disk's runner, which is made at the first run.
func durableID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		if id := strings.TrimSpace(string(text)); berth.IsID(id) {
			return id, nil
		}
		return "", berth.Errorf(berth.Invalid, "%s is damaged: put the runner's id back, or remove the file if no build of it runs any more", path)
	}
	if !os.IsNotExist(err) {
		return "", err
	}
	id := string(berth.NewID[Runner]())
	return id, replace(path, []byte(id+"\n"))
}

// find fills held with what an earlier run left on disk, and sweeps what it was
// just making or removing.
func (r *Runner) find() error {
	dir := filepath.Join(r.o.Dir, "builds")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if fresh, ok := strings.CutPrefix(name, newPrefix); ok {
			r.sweep(dir, name, fresh)
		} else if gone, ok := strings.CutPrefix(name, gonePrefix); ok {
			r.sweep(dir, name, gone)
		} else if rec, ok := recordAt(dir, name); ok {
			known[name] = r.adopt(rec)
		}
	}
	works, err := os.ReadDir(filepath.Join(r.o.Work, "builds"))
	if err != nil {
		return err
	}
	for _, e := range works {
		if _, ok := known[e.Name()]; !ok && !exists(filepath.Join(r.o.Dir, asideDir, e.Name())) {
			r.o.Log.Warn("left a build directory alone of which nothing is known here: it may hold a state", "dir", r.workDir(e.Name()))
		}
	}
	return nil
}

// sweep removes what is left of a record called name, and its build's directory.
func (r *Runner) sweep(dir, entry, name string) {
	if _, ok := recordAt(dir, name); !ok {
		return
	}
	err := removeTree(r.workDir(name))
	if err == nil {
		err = removeTree(filepath.Join(dir, entry))
	}
	if err != nil {
		r.o.Log.Error("removing a build that is over", "dir", filepath.Join(dir, entry), "error", err)
	}
}

// adopt takes a record over, unless its keeper was never started: then nothing
// happened, the build is not held, and the server hands it out again.
func (r *Runner) adopt(rec record) bool {
	if !exists(rec.path(filePid)) && !exists(rec.path(fileResult)) {
		if lock, err := tryLock(rec.path(fileLock)); err == nil {
			defer lock.Close()
			if !exists(rec.path(filePid)) {
				if err := rec.remove(r.workDir(rec.name())); err != nil {
					r.o.Log.Error("removing a build that was never begun", "build", rec.name(), "error", err)
				}
				return true
			}
		}
	}
	var o order
	if found, err := readJSON(rec.path(fileJob), &o); err != nil || !found {
		r.o.Log.Error("reading a job that was begun; going on without it", "build", rec.name(), "error", err)
	}
	h := newHeld(r, rec, berth.Class(o.Job.Class))
	h.order = o
	r.held[rec.name()] = h
	return true
}

func (r *Runner) workDir(name string) string { return filepath.Join(r.o.Work, "builds", name) }

// resume goes on with the builds found on disk. It comes back when everything
// that dead keepers left there is with the server, so that nothing new is taken
// before; false when ctx was done first.
func (r *Runner) resume(ctx context.Context) bool {
	found := r.all()
	for _, h := range found {
		r.wg.Go(func() { r.tend(ctx, h) })
	}
	for _, h := range found {
		select {
		case <-h.shipped:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// tend sees a build to its end and frees its slot.
func (r *Runner) tend(ctx context.Context, h *held) {
	if !h.run(ctx) {
		return // ctx is done; the record stays for the next run
	}
	r.warmth.over(h.rec.name())
	r.mu.Lock()
	delete(r.held, h.rec.name())
	r.mu.Unlock()
	r.look()
}

// reportAgain has what is held reported before the next take.
func (r *Runner) reportAgain() {
	r.doubt.Store(true)
	r.look()
}

// look wakes who waits for a slot.
func (r *Runner) look() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
