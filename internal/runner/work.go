package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/plugin"
	"github.com/berthdev/berth/internal/terraform"
)

// engine is what a keeper needs of package terraform. Tests script it.
type engine interface {
	Ensure(ctx context.Context, o order, log func(berth.Log)) (terraform.Installation, error)
	Run(ctx context.Context, o terraform.Options, sink terraform.Sink, judge func(context.Context, berth.Plan) (berth.Verdict, error)) (terraform.Result, error)
	Import(ctx context.Context, o terraform.Options, sink terraform.Sink) (berth.Contents, error)
	Look(ctx context.Context, o terraform.Options, sink terraform.Sink) ([]berth.Drift, error)
}

type realEngine struct{}

func (realEngine) Ensure(ctx context.Context, o order, log func(berth.Log)) (terraform.Installation, error) {
	i := terraform.Installer{Engine: o.Engine, Mirror: o.Mirror, PluginURLs: o.Fetch.PluginURLs, ModuleMirrors: o.Fetch.ModuleMirrors, Dir: o.Installations, As: o.As}
	open := func(path string) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return os.Open(path) }
	}
	return i.EnsureOf(ctx, terraform.Template{Hash: o.Job.Archive, Archive: open(o.Archive), Carried: o.Job.Carried, Modules: open(o.Carried),
		Anew: berth.Transition(o.Job.Transition) == berth.Import && !o.Job.Look}, log)
}

func (realEngine) Run(ctx context.Context, o terraform.Options, sink terraform.Sink, judge func(context.Context, berth.Plan) (berth.Verdict, error)) (terraform.Result, error) {
	return terraform.Run(ctx, o, sink, judge)
}

func (realEngine) Import(ctx context.Context, o terraform.Options, sink terraform.Sink) (berth.Contents, error) {
	return terraform.Import(ctx, o, sink)
}

func (realEngine) Look(ctx context.Context, o terraform.Options, sink terraform.Sink) ([]berth.Drift, error) {
	return terraform.Look(ctx, o, sink)
}

// hang is how long a killed Terraform may take to be gone before the keeper
// goes on without it, for instance when it waits for a dead network disk.
var hang = 30 * time.Second

// work runs the engine to its end, or to where it has been given up.
func (k *keeper) work(limit time.Duration) api.Finish {
	done := make(chan api.Finish, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				fmt.Fprintf(os.Stderr, "keeper: %v\n", p)
				done <- failure(berth.FailedRunner, fmt.Errorf("a fault in berth stopped this build: %v; please report it", p))
			}
		}()
		done <- k.runEngine(limit)
	}()
	select {
	case f := <-done:
		return f
	case <-k.kill:
	}
	for range 2 {
		select {
		case f := <-done:
			return f
		case <-time.After(hang):
			killLeftovers(context.Background(), k.rec.name(), identify(os.Getpid()))
		}
	}
	f := failure(berth.FailedRunner, errors.New("Terraform was killed but did not end; what was found of its state is kept"))
	if last, _ := terraform.Recover(k.order.Work, k.order.Job.State); len(last.State) > 0 {
		f = withResult(f, last)
	}
	return f
}

func (k *keeper) runEngine(limit time.Duration) api.Finish {
	begin := time.Now()
	installation, err := k.engine.Ensure(k.ctx, k.order, func(l berth.Log) {
		if l.Stage == "" {
			l.Stage = "init"
		}
		k.Log(l)
	})
	timing := berth.Timing{Stage: "init", Start: begin, End: time.Now()}
	if err != nil {
		f := k.outcome(api.Finish{}, err, limit)
		f.Timings = []berth.Timing{timing}
		return f
	}
	o := k.options(installation)
	k.warmUp(&o)
	if k.order.Job.Look {
		found, err := k.engine.Look(k.ctx, o, k)
		if found == nil {
			found = []berth.Drift{}
		}
		return k.outcome(api.Finish{Timings: []berth.Timing{timing}, Drift: &found}, err, limit)
	}
	if o.Transition == berth.Import {
		contents, err := k.engine.Import(k.ctx, o, k)
		f := api.Finish{Timings: []berth.Timing{timing}}
		if err == nil {
			f.Contents = &contents
			f.Carried, err = installation.Carried()
		}
		return k.outcome(f, err, limit)
	}
	result, err := k.engine.Run(k.ctx, o, k, k.judge)
	f := withResult(api.Finish{}, result)
	f.Timings = append([]berth.Timing{timing}, f.Timings...)
	if err == nil && k.endsWorkspace(f.Addresses) {
		k.endProcesses(o.Env["CODER_WORKSPACE_ID"])
	}
	return k.outcome(f, err, limit)
}

// endsWorkspace tells whether no process of the workspace on this machine may
// run on after this build, given what is left in the state.
func (k *keeper) endsWorkspace(left []string) bool {
	j := k.order.Job
	switch berth.Transition(j.Transition) {
	case berth.Stop, berth.Delete:
		return !j.Orphan && !slices.ContainsFunc(left, func(address string) bool { return strings.Contains(address, "berth_process.") })
	}
	return false
}

// endProcesses ends the workspace's processes of which no state tells: a build
// that was killed had started them and could not record them.
func (k *keeper) endProcesses(workspace string) {
	if err := plugin.EndWorkspace(context.Background(), workspace); err != nil {
		k.Log(berth.Log{Level: "warn", Source: "berth", Text: errorText(err)})
	}
}

func (k *keeper) options(i terraform.Installation) terraform.Options {
	env := maps.Clone(k.order.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, k.order.Job.Env)
	env[marker] = k.rec.name()
	return terraform.Options{
		Engine: k.order.Engine, Installation: i, Dir: k.order.Work,
		Transition: berth.Transition(k.order.Job.Transition),
		Env:        env, Pass: k.order.Pass, Variables: k.order.Job.Variables,
		State: k.order.Job.State, Orphan: k.order.Job.Orphan,
		As: k.order.As, Kill: k.kill, Journal: k.order.Journal,
	}
}

// outcome says how it ended. Terraform that came to its end before an
// interrupt could reach it has done its work, so that counts as success.
func (k *keeper) outcome(f api.Finish, err error, limit time.Duration) api.Finish {
	if err == nil {
		return f
	}
	switch context.Cause(k.ctx) {
	case errCanceled:
		f.Canceled = true
	case errTimeout:
		f.ErrorCode, f.Error = berth.FailedTimeout, fmt.Sprintf("The build took longer than its limit of %s and was stopped. Its state is kept: the next build goes on from there.", limit)
	case errSignal:
		f.ErrorCode, f.Error = berth.FailedRunner, "The machine that ran this build is shutting down, so Terraform was interrupted. Its state is kept: start it again."
	default:
		f.ErrorCode, f.Error = errorWord(err), errorText(err)
	}
	return f
}

// errorWord is the build's ErrorCode for what package terraform said.
func errorWord(err error) string {
	var run *terraform.RunError
	if errors.As(err, &run) && run.Code != "" {
		return run.Code
	}
	return berth.FailedRunner
}

// errorText keeps the words of errors that are not berth's: they come from this
// machine's own work on the build, and whoever reads them has nothing else.
func errorText(err error) string {
	var e *berth.Error
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

func failure(word string, err error) api.Finish {
	return api.Finish{ErrorCode: word, Error: errorText(err)}
}

// roomError names the cure when a disk is full.
func roomError(doing string, err error) error {
	if full(err) {
		return berth.Errorf(berth.Unavailable, "%s: the disk of the runner is full; free some room there and try again", doing)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// withResult puts what package terraform found into f.
func withResult(f api.Finish, r terraform.Result) api.Finish {
	f.State, f.Lineage, f.Serial = r.State, r.Lineage, r.Serial
	f.Addresses, f.Resources = r.Addresses, r.Resources
	f.Timings, f.Refused = r.Timings, r.Refused
	for _, a := range r.Agents {
		f.Agents = append(f.Agents, api.FinishedAgent{ID: a.ID, Token: a.Token, AgentSpec: a.AgentSpec})
	}
	return f
}
