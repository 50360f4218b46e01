package runner

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/terraform"
)

// protocol is the version of the runner's calls that this code speaks.
const protocol = 1

// takeAll takes builds while there are slots. Only one take is under way at a
// time, and never a hello with it: a hello says what is held, and a build on
// its way here must not be missing from it.
func (r *Runner) takeAll(ctx context.Context) {
	said := r.Problem()
	for failed := 0; ctx.Err() == nil; {
		problem := r.check(ctx)
		if r.doubt.Swap(false) || problem != said || problem != "" {
			if !r.hello(ctx) {
				return
			}
			said = problem
		}
		if problem != "" {
			pause(ctx, r.recheck)
			continue
		}
		if !r.slot(ctx) {
			continue
		}
		job, err := r.take(ctx)
		switch {
		case ctx.Err() != nil:
			return // a job that came in this moment is handed out again after our next hello
		case err != nil:
			r.o.Log.Warn("taking a build", "error", err)
			r.doubt.Store(true) // the server may have given us a build that did not get here
			pause(ctx, backoff(failed))
			failed++
		case job != nil:
			failed = 0
			r.accept(ctx, *job)
		default:
			failed = 0
		}
	}
}

func (r *Runner) take(ctx context.Context) (*api.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, r.wait+callTime)
	defer cancel()
	return r.o.Client.Take(ctx, api.Take{RunnerID: r.id, Wait: int(r.wait / time.Second), Refills: r.refills()})
}

// refills tells whether a pool refill may be taken: they hold at most half of
// the slots, so that people need not wait for them.
func (r *Runner) refills() bool {
	n := 0
	for _, h := range r.all() {
		if h.class == berth.ClassRefill {
			n++
		}
	}
	return n < max(1, r.o.Slots/2)
}

// slot waits until one is free. It is false when something else is to be done first.
func (r *Runner) slot(ctx context.Context) bool {
	for len(r.all()) >= r.o.Slots {
		select {
		case <-r.freed:
		case <-ctx.Done():
		}
		if ctx.Err() != nil || r.doubt.Load() {
			return false
		}
	}
	return ctx.Err() == nil
}

func (r *Runner) accept(ctx context.Context, job api.Job) {
	if !berth.IsID(job.BuildID) || job.Attempt < 1 {
		r.o.Log.Error("the server sent a job without a build", "build", job.BuildID, "attempt", job.Attempt)
		return
	}
	rec := newRecord(r.recordDir(), job.BuildID, job.Attempt)
	h := newHeld(r, rec, berth.Class(job.Class))
	h.fresh, h.order.Job = true, job
	r.mu.Lock()
	_, twice := r.held[rec.name()]
	if !twice {
		r.held[rec.name()] = h
	}
	r.mu.Unlock()
	if !twice {
		r.wg.Go(func() { r.tend(ctx, h) })
	}
}

// hello reports until it is heard, and gives up what is not ours any more.
// It is false when ctx was done first.
func (r *Runner) hello(ctx context.Context) bool {
	r.mu.Lock()
	in := api.RunnerHello{Protocol: protocol, RunnerID: r.id, Version: r.o.Version, Terraform: r.engine.Version, Problem: r.problem, Slots: r.o.Slots}
	r.mu.Unlock()
	holds := r.all()
	for _, h := range holds {
		in.Holds = append(in.Holds, h.rec.held())
	}
	var welcome api.RunnerWelcome
	for n := 0; ; n++ {
		err := within(ctx, callTime, func(ctx context.Context) (err error) {
			welcome, err = r.o.Client.RunnerHello(ctx, in)
			return err
		})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return false
		}
		if n%20 == 0 {
			r.o.Log.Warn("reporting to the server; trying again until it answers", "error", err)
		}
		pause(ctx, backoff(n))
	}
	yours := map[api.HeldBuild]bool{}
	for _, b := range welcome.Yours {
		yours[b] = true
	}
	for _, h := range holds {
		if !yours[h.rec.held()] {
			h.disown("the server says that it is not this runner's any more")
		}
	}
	if welcome.Beat > 0 {
		r.mu.Lock()
		r.beat = time.Duration(welcome.Beat) * time.Second
		r.mu.Unlock()
	}
	return true
}

// check looks whether builds can be run here and gives the problem, if any.
// Terraform is asked for its version again only when its file has changed.
func (r *Runner) check(ctx context.Context) string {
	problem := r.checkDisk()
	if engine, err := r.findEngine(ctx); err != nil {
		problem = errorText(err)
	} else {
		r.mu.Lock()
		r.engine = engine
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if problem != r.problem && ctx.Err() == nil {
		if problem == "" {
			r.o.Log.Info("builds can be run again")
		} else {
			r.o.Log.Error("no builds can be run", "problem", problem)
		}
		r.problem = problem
	}
	return r.problem
}

func (r *Runner) findEngine(ctx context.Context) (terraform.Engine, error) {
	r.mu.Lock()
	engine, seen := r.engine, r.seen
	r.mu.Unlock()
	if seen != nil {
		now, err := os.Stat(engine.Path)
		if err == nil && os.SameFile(now, seen) && now.ModTime().Equal(seen.ModTime()) && now.Size() == seen.Size() {
			return engine, nil
		}
	}
	engine, err := r.locate(ctx, r.o.Terraform)
	if err != nil {
		return engine, err
	}
	now, err := os.Stat(engine.Path)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen = nil; err == nil {
		r.seen = now
	}
	return engine, nil
}

func (r *Runner) checkDisk() string {
	for _, dir := range []string{r.o.Dir, r.o.Work} {
		if n, err := free(dir); err == nil && r.o.MinFree > 0 && n < r.o.MinFree {
			return fmt.Sprintf("the disk of %s has %d MB free, and builds want %d MB: free some room there", dir, n>>20, r.o.MinFree>>20)
		}
	}
	return ""
}
