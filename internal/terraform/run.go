package terraform

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Run does one build: plan, judge, apply. When ctx ends, terraform is
// interrupted and may finish what it is doing; when o.Kill is closed, it and
// its plugins are killed. Either way Run returns once they are gone. Errors
// that come from the template, the judge or the end of ctx are *RunError.
//
// A delete of a workspace that has nothing, or with o.Orphan, succeeds without
// terraform and without a judge: nothing is changed.
func Run(ctx context.Context, o Options, sink Sink, judge Judge) (Result, error) {
	r := &run{Options: o, sink: &orderly{sink: sink}}
	if o.Transition == berth.Import {
		return Result{}, berth.Errorf(berth.Internal, "an import is not a build of a workspace")
	}
	if o.Transition == berth.Delete && (o.Orphan || empty(o.State)) {
		r.say("info", "Nothing is destroyed: "+map[bool]string{true: "the workspace is deleted, and what it made stays where it is.", false: "the workspace has no resources."}[o.Orphan])
		return Result{}, nil
	}
	if err := r.prepare(); err != nil {
		return Result{}, err
	}
	defer r.dir.close()
	err := r.build(ctx, judge)
	return r.result(err)
}

// run is one build under way.
type run struct {
	Options
	sink    Sink
	dir     *directory
	watcher *watcher
	timings []berth.Timing
	refused []berth.Refusal

	untouched bool     // whatever terraform has written, nothing was allowed to change
	cut       bool     // it failed, and the journal may know more than the state
	missing   []string // what may be left over
	lost      []lost   // what builds before this one may have made

	gathered bool // Plugins are all but the coder plugin
	hosted   int  // how often that one was started
}

func (r *run) prepare() error {
	modules, err := readTemplate(r.Installation.Dir)
	if err != nil {
		return err
	}
	variables, err := variableFile(modules[0], r.Variables)
	if err != nil {
		return err
	}
	r.Env = r.PluginEnv()
	if len(r.Plugins) > 0 {
		if r.Env[reattachVariable], err = reattach(r.Plugins); err != nil {
			return err
		}
	}
	r.State, r.lost = takeLost(r.State)
	if r.dir, err = prepare(r.Options, variables); err != nil {
		return err
	}
	if len(r.lost) > 0 {
		if err := writeLost(r.dir.path, r.lost); err != nil {
			r.dir.close()
			return fmt.Errorf("noting what is to be found: %w", err)
		}
	}
	r.watcher = &watcher{dir: r.dir, sink: r.sink, serial: -1}
	if len(r.State) > 0 {
		if r.watcher.lineage, r.watcher.serial, err = Header(r.State); err != nil {
			r.dir.close()
			return err
		}
	}
	return nil
}

// reattachVariable tells terraform of plugins that serve already.
const reattachVariable = "TF_REATTACH_PROVIDERS"

// transitions are the plugin's words for ours.
var transitions = map[berth.Transition]string{berth.Start: "start", berth.Stop: "stop", berth.Delete: "destroy"}

func (r *run) build(ctx context.Context, judge Judge) error {
	if len(r.lost) > 0 {
		if err := r.adopt(ctx); err != nil {
			return err
		}
	}
	if done, err := r.swift(ctx, judge); done || err != nil {
		return err
	}
	if r.Kept || len(r.Plugins) > 0 {
		defer r.gather(ctx)()
		defer r.host(ctx)()
	}
	plan, err := r.plan(ctx)
	if err != nil {
		return err
	}
	if err := r.decide(ctx, judge, plan); err != nil {
		return err
	}
	return r.watcher.during(func() error {
		_, err := r.terraform(ctx, "apply", r.planFile())
		return err
	})
}

// decide asks the judge. Without an error the plan may be applied.
func (r *run) decide(ctx context.Context, judge Judge, plan berth.Plan) error {
	verdict, err := judge(ctx, plan)
	if err != nil {
		if ctx.Err() != nil {
			return canceled(ctx)
		}
		return fmt.Errorf("asking whether the plan may be applied: %w", err)
	}
	if !verdict.Allow {
		return r.refuse(plan, verdict)
	}
	if ctx.Err() != nil {
		return canceled(ctx)
	}
	return nil
}

func (r *run) planFile() string { return filepath.Join(r.dir.path, "plan") }

// terraform runs one command with a stream of JSON and keeps its timings.
func (r *run) terraform(ctx context.Context, command string, args ...string) (*stream, error) {
	s := newStream(command, r.sink.Log)
	c := r.call(append([]string{command, "-json", "-input=false"}, args...)...)
	c.stdout, c.stderr = s.line, s.problem
	begin := time.Now()
	err := c.run(ctx)
	r.timings = append(append(r.timings, berth.Timing{Stage: command, Start: begin, End: time.Now()}), s.timings...)
	return s, r.failure(ctx, err, s)
}

func (r *run) call(args ...string) call {
	return call{
		path: r.Engine.Path, args: args, dir: filepath.Join(r.dir.path, workName),
		env: environ(r.dir.path, r.Options), as: r.As, kill: r.Kill,
	}
}

// failure says why terraform ended as it did.
func (r *run) failure(ctx context.Context, err error, s *stream) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errKilled):
		return &RunError{Code: "canceled", Err: &berth.Error{Code: berth.Conflict, Message: "the build was killed before it was through", Err: err}}
	case ctx.Err() != nil:
		return canceled(ctx)
	case len(s.errors) > 0:
		return &RunError{Code: berth.FailedTerraform, Err: &berth.Error{Code: berth.Invalid, Message: shorten(s.errors), Err: err}}
	default:
		return &RunError{Code: berth.FailedTerraform, Err: &berth.Error{Code: berth.Unavailable, Message: "terraform ended without saying why (" + err.Error() + "); its last lines are in the build's log", Err: err}}
	}
}

func shorten(errs []string) string {
	if more := len(errs) - source.MaxShown; more > 0 {
		return strings.Join(errs[:source.MaxShown], "\n") + fmt.Sprintf("\n… and %d more, in the build's log", more)
	}
	return strings.Join(errs, "\n")
}

// canceled is the error of a build whose context ended.
func canceled(ctx context.Context) error {
	code, message := "canceled", "the build was canceled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code, message = berth.FailedTimeout, "the build took longer than it may"
	}
	return &RunError{Code: code, Err: &berth.Error{Code: berth.Conflict, Message: message, Err: context.Cause(ctx)}}
}

// refuse makes the error for a plan that the judge refused.
func (r *run) refuse(plan berth.Plan, v berth.Verdict) error {
	r.refused = v.Refused
	for i, refusal := range r.refused {
		for _, c := range plan.Changes {
			if c.Address == refusal.Address && len(refusal.Because) == 0 {
				r.refused[i].Because = c.Forces
			}
		}
	}
	code, message := v.ErrorCode, v.Reason
	if code == "" {
		code = berth.FailedPersistence
	}
	if message == "" {
		message = "the plan of this build was refused"
	}
	r.say("error", message)
	return &RunError{Code: code, Err: berth.Errorf(berth.Conflict, "%s", message)}
}

// result reads what the build left behind, whatever came of it.
func (r *run) result(err error) (Result, error) {
	state, lineage, serial := r.dir.newest()
	if r.cut {
		state, lineage, serial = r.repair()
	}
	if r.untouched {
		state, lineage, serial = nil, "", 0
		if len(r.State) > 0 {
			state, lineage, serial = r.State, r.watcher.lineage, r.watcher.serial
		}
	}
	if w := r.watcher; w.last != nil && (state == nil || serial < w.serial) {
		state, lineage, serial = w.last, w.lineage, w.serial // the file is torn, or gone
	}
	var result Result
	if state != nil {
		unchanged := len(r.State) > 0 && lineage == r.watcher.lineage && serial == r.watcher.serial && r.watcher.last == nil
		state = withLost(state, r.dir.unfound())
		r.watcher.offer(lineage, serial, state)
		var unreadable error
		if result, unreadable = ReadState(state); err == nil && unreadable != nil {
			err = &RunError{Code: berth.FailedTerraform, Err: unreadable}
		}
		if unchanged {
			result.State = nil
		}
	}
	result.Timings, result.Refused, result.Lost = r.timings, r.refused, r.missing
	return result, err
}

func (r *run) say(level, text string) {
	r.sink.Log(berth.Log{At: time.Now(), Level: level, Stage: "plan", Source: "berth", Text: text})
}
