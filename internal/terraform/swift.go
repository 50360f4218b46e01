package terraform

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
	"github.com/berthdev/berth/internal/source"
)

// journalName is the journal's directory below a build's.
const journalName = "journal"

// errOver ends the judging of a plan whose terraform is gone.
var errOver = errors.New("terraform ended before its plan was judged")

// swift is a build by a single run of terraform, behind the journal: what it may
// do is judged when it has printed its plan, and let through after that.
type swift struct {
	*run
	journal *journal.Journal
	plugins []*journal.Process
	stream  *stream
	facts
	asked    bool        // the plan was printed whole
	verdict  chan error  // what came of judging it
	released atomic.Bool // changes were let through
	muted    atomic.Bool // terraform has nothing more to say that people need
	unsure   atomic.Bool // the plan could not be read well enough
	began    time.Time   // of the apply
}

// swift builds in one run. It is not done where that is not possible, or where
// the plan cannot be judged from what one run tells: nothing has changed then.
func (r *run) swift(ctx context.Context, judge Judge) (done bool, err error) {
	f, why := r.mayGate()
	if why != "" {
		r.sink.Log(berth.Log{At: time.Now(), Level: "debug", Stage: "plan", Source: "berth", Text: "Planned and applied in two steps: " + why + "."})
		return false, nil
	}
	s := &swift{run: r, facts: f, verdict: make(chan error, 1)}
	defer s.close()
	if err := s.open(ctx); err != nil {
		if ctx.Err() != nil {
			return true, canceled(ctx)
		}
		r.sink.Log(berth.Log{At: time.Now(), Level: "warn", Stage: "plan", Source: "berth", Text: "Planned and applied in two steps: " + err.Error() + "."})
		return false, nil
	}
	return s.build(ctx, judge)
}

// facts are what a template and a state say of a build.
type facts struct {
	serial bool     // its changes have to be made one after the other
	types  []string // of which there are blocks, or objects
	small  bool     // there is nothing in it to compute at the same time
}

// mayGate tells whether the journal's gate can hold back all that this build may
// do.
func (r *run) mayGate() (f facts, why string) {
	if r.Journal == "" {
		return f, "there is no journal"
	}
	modules, err := readTemplate(r.Installation.Dir)
	if err != nil {
		return f, "the template cannot be read"
	}
	plugins, _, err := resolved(r.Installation.Dir)
	if err != nil {
		return f, "its plugins are not known"
	}
	var state stateFile
	if len(r.State) > 0 {
		if state, err = parseState(r.State); err != nil {
			return f, "its state cannot be read"
		}
	}
	if why := unheld(r.Installation.Dir, modules, plugins, state, r.Engine.Tofu); why != "" {
		return f, why
	}
	f.serial = crowded(modules)
	f.types, f.small = used(modules, state)
	return f, ""
}

// oneProcessor is for programs that mostly wait for each other: with more than
// one they spend a tenth of their time on handing work from one to the next.
const oneProcessor = "GOMAXPROCS=1"

// fewest is how many blocks and objects a template may have for one processor
// to be enough for terraform.
const fewest = 60

// used are the types of resources and data of which there are blocks or objects,
// and whether these are few.
func used(modules []source.Module, state stateFile) (types []string, few bool) {
	found, n := map[string]bool{}, 0
	for _, m := range modules {
		for _, kind := range []string{"resource", "data"} {
			for _, b := range m.Of(kind, "") {
				found[b.Labels[0]] = true
				n++
			}
		}
	}
	for _, r := range state.Resources {
		found[r.Type] = true
		n += len(r.Instances)
	}
	return slices.Sorted(maps.Keys(found)), n <= fewest
}

// open starts what stands between terraform and the plugins.
func (s *swift) open(ctx context.Context) error {
	ups, processes, err := s.attend(ctx, "tmp", s.Journal)
	s.plugins = processes
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir.path, journalName)
	if err := s.makeOwn(journalName); err != nil {
		return err
	}
	s.journal, err = journal.Open(ctx, journal.Options{
		Path: s.Journal, Args: []string{"berth-plugin", "journal"}, Env: append(environ(s.dir.path, s.Options), oneProcessor), Dir: dir, Attr: attributes(s.As), Plugins: ups,
		Serial: s.serial, Engine: s.Engine.Version, Types: s.types,
	})
	return err
}

func (s *swift) close() {
	if s.journal != nil {
		s.journal.Close()
	}
	s.dismiss(s.plugins)
}

func (s *swift) build(ctx context.Context, judge Judge) (done bool, err error) {
	reattach, err := s.journal.Reattach(filepath.Join(s.dir.path, workName))
	if err != nil {
		return false, nil
	}
	args := []string{"apply", "-json", "-input=false", "-auto-approve", "-var-file=" + filepath.Join(s.dir.path, "variables.tfvars.json")}
	if s.serial {
		args = append(args, "-parallelism=1")
	}
	if s.Transition == berth.Delete {
		args = append(args, "-destroy")
	}
	judging, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.stream = newStream("plan", func(l berth.Log) {
		if !s.muted.Load() {
			s.sink.Log(l)
		}
	})
	s.stream.onStart = func(h streamedHook) {
		s.journal.Begins(journal.Change{Address: h.Resource.Addr, Type: h.Resource.Type, Actions: []string{h.Action}})
	}
	begin := time.Now()
	s.stream.onPlan = func() {
		s.timings = append(s.timings, berth.Timing{Stage: "plan", Start: begin, End: time.Now()})
		s.stream.stage, s.asked, s.began = "apply", true, time.Now()
		planned := *s.stream
		go func() { s.verdict <- s.weigh(judging, judge, &planned) }()
	}
	c := s.call(args...)
	c.env = append(c.env, "TF_REATTACH_PROVIDERS="+reattach)
	if s.small {
		c.env = append(c.env, oneProcessor)
	}
	c.stdout, c.stderr = s.stream.line, s.stream.problem
	s.watcher.held.Store(true)
	err = s.watcher.during(func() error { return c.run(ctx) })
	if s.asked {
		if err != nil {
			stop(errOver)
		}
		if verdict := <-s.verdict; !s.released.Load() {
			s.untouched = true
			s.journal.Deny("the build is over")
			switch {
			case s.unsure.Load():
				return false, s.again()
			case errors.Is(verdict, errOver) || verdict == nil:
				return true, s.failure(ctx, err, s.stream)
			}
			return true, verdict
		}
		s.timings = append(append(s.timings, berth.Timing{Stage: "apply", Start: s.began, End: time.Now()}), s.stream.timings...)
	} else {
		s.untouched = true
		s.timings = append(append(s.timings, berth.Timing{Stage: "plan", Start: begin, End: time.Now()}), s.stream.timings...)
		if err == nil { // it has done something else than we asked for
			err = errors.New("it printed no plan")
		}
		return true, s.failure(ctx, err, s.stream)
	}
	if died(err) {
		s.settle(ctx)
	}
	s.cut = err != nil
	return true, s.failure(ctx, err, s.stream)
}

// weigh has the plan judged that terraform printed, and lets it through or not.
// Whatever is not certain of it is not let through.
func (s *swift) weigh(ctx context.Context, judge Judge, planned *stream) error {
	plan, err := s.judgeable(ctx, planned)
	if errors.Is(err, errUnsure) {
		s.muted.Store(true)
		s.unsure.Store(true)
		s.sink.Log(berth.Log{At: time.Now(), Level: "debug", Stage: "plan", Source: "berth", Text: "Planned again, in two steps: " + err.Error() + "."})
		s.journal.Deny(err.Error())
		return err
	}
	if err == nil {
		if err = s.decide(ctx, judge, plan); err != nil && errors.Is(context.Cause(ctx), errOver) {
			err = errOver
		}
	}
	if err != nil {
		s.muted.Store(true)
		s.journal.Deny("The plan of this build may not be applied.")
		return err
	}
	var changes []journal.Change
	for _, c := range plan.Changes {
		changes = append(changes, journal.Change{Address: c.Address, Type: c.Type, Actions: c.Actions})
	}
	// From here on things may change, whatever is heard of it.
	s.watcher.held.Store(false)
	s.released.Store(true)
	if err := s.journal.Release(context.WithoutCancel(ctx), changes); err != nil {
		s.say("error", "The journal does not let the changes through: "+err.Error()+".")
		s.journal.Deny("The journal cannot be written.")
	}
	return nil
}

// died tells whether terraform ended otherwise than by its own will, so that it
// may have left its state unwritten. It says 0 and 1 when it has saved it.
func died(err error) bool {
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	return !errors.As(err, &exit) || exit.ExitCode() != 1
}

// settleWait is how long changes may run on once everything is to be killed.
const settleWait = 10 * time.Second

// settle waits for changes that were running when terraform died: the plugins
// know nothing of its death.
func (s *swift) settle(ctx context.Context) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() {
		cut, kill := ctx.Done(), s.Kill
		var late <-chan time.Time
		for {
			select {
			case <-cut:
				s.journal.Stop()
				cut = nil
			case <-kill:
				s.journal.Stop()
				late, kill = time.After(settleWait), nil
			case <-late:
				stop()
				return
			case <-running.Done():
				return
			}
		}
	}()
	if err := s.journal.Settle(running); err != nil {
		s.say("warn", "What was running when terraform died could not be seen through: "+err.Error()+".")
	}
}

// again makes the directory what it was before terraform ran in it.
func (s *swift) again() error {
	s.untouched = false
	s.watcher.held.Store(false)
	s.timings = nil
	return s.dir.reset(s.State, s.As)
}
