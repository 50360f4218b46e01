package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/berthdev/berth/internal/agent/retry"
	"github.com/berthdev/berth/internal/agent/spawn"
)

// outcome is how one run of a script or hook ended.
type outcome int

const (
	succeeded outcome = iota
	exitFailure
	timedOut
	interrupted // by the end of the agent
)

// ranks orders outcomes from good to bad.
var ranks = map[outcome]int{succeeded: 0, interrupted: 1, timedOut: 2, exitFailure: 3}

// result is an outcome with what there is to say of it.
type result struct {
	outcome outcome
	warning bool   // it succeeded, but the person should read detail
	exit    int    // exit code; -1: it ended by a signal, or never began
	detail  string // one sentence; empty: nothing
}

// worse tells whether r is a worse result than other.
func (r result) worse(other result) bool {
	a, b := ranks[r.outcome], ranks[other.outcome]
	return a > b || a == b && r.warning && !other.warning
}

// Times that the start gives to others; tests shorten them.
type patience struct {
	kill      time.Duration // between interrupt and kill
	leftovers time.Duration // for background processes that hold the output open
	hook      time.Duration // for a hook of the image or the person
	identity  time.Duration // for the owner's credentials
}

var usualPatience = patience{kill: 10 * time.Second, leftovers: 10 * time.Second, hook: 30 * time.Minute, identity: identityPatience}

// While there is no room for another process, a task tries to begin for 10 s.
const (
	fullTries = 20
	fullWait  = 500 * time.Millisecond
)

// task is one program that is run for people to see how it goes.
type task struct {
	noun    string        // begins sentences about it
	source  string        // of its lines in the log
	stage   string        // start, stop or cron
	logFile string        // gets what it prints too; empty: none
	logMore bool          // the file is gone on with
	timeout time.Duration // 0: none
}

// runTask runs a program to its end and logs how it went. When the kernel does
// not know what to run it with, otherwise makes another command.
func (a *agent) runTask(ctx context.Context, t task, command func(env []string) (*exec.Cmd, error), otherwise func(env []string) *exec.Cmd) result {
	say := func(level, format string, args ...any) string {
		text := fmt.Sprintf(format, args...)
		a.lines.add(level, t.stage, t.source, text)
		return a.lines.cover(text)
	}
	env := a.environment()
	open := func() *output {
		return newOutput(a.logPath(t.logFile, env), t.logMore, a.log, func(text string) { a.lines.add("info", t.stage, t.source, text) })
	}
	cmd, err := command(env)
	var copied <-chan struct{}
	if err == nil {
		copied, err = startWith(cmd, open())
	}
	for try := 0; spawn.Full(err) && try < fullTries && retry.Pause(ctx, fullWait); try++ {
		if cmd, err = command(env); err == nil {
			copied, err = startWith(cmd, open())
		}
	}
	if errors.Is(err, syscall.ENOEXEC) && otherwise != nil {
		cmd = otherwise(env)
		copied, err = startWith(cmd, open())
	}
	if err != nil {
		return result{exitFailure, false, -1, say("error", "%s cannot be started: %v", t.noun, err)}
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	got := result{outcome: await(ctx, cmd, exited, t.timeout, a.patience), exit: cmd.ProcessState.ExitCode()}
	select {
	case <-copied:
	case <-time.After(a.patience.leftovers):
		// They keep their output and run on; only nobody waits for them.
		got.warning = true
		got.detail = say("warn", "%s has ended, but something that it started still holds its output open. Redirect the output of background processes, for example to a file.", t.noun)
	}
	switch {
	case got.outcome == timedOut:
		got.detail = say("error", "%s was stopped: it took longer than its timeout of %.0f s.", t.noun, t.timeout.Seconds())
	case got.outcome == interrupted:
		got.detail = say("warn", "%s was interrupted: the workspace stops.", t.noun)
	case !cmd.ProcessState.Success():
		got.outcome = exitFailure
		got.detail = say("error", "%s failed: %v.", t.noun, cmd.ProcessState)
	}
	return got
}

// await waits for the end of cmd; when its time is over or the agent ends, it
// interrupts what cmd started, and kills it if that does not help.
func await(ctx context.Context, cmd *exec.Cmd, exited <-chan struct{}, timeout time.Duration, p patience) outcome {
	var over <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		over = t.C
	}
	result := succeeded
	select {
	case <-exited:
		return result
	case <-over:
		result = timedOut
	case <-ctx.Done():
		result = interrupted
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	select {
	case <-exited:
	case <-time.After(p.kill):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
	}
	return result
}

// startWith starts cmd with its output going to out, which is closed at the
// end of that output; copied is closed then. Both kinds of output go through
// one pipe, so their order is kept.
func startWith(cmd *exec.Cmd, out io.WriteCloser) (copied <-chan struct{}, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		out.Close()
		return nil, err
	}
	defer w.Close()
	syscall.SetNonblock(int(w.Fd()), false) // programs do not expect it
	cmd.Stdout, cmd.Stderr = w, w
	if err := spawn.Start(cmd); err != nil {
		r.Close()
		out.Close()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(out, r)
		r.Close()
		out.Close()
	}()
	return done, nil
}
