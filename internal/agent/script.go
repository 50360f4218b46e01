package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/shell"
)

// outcome is how one run of a script ended.
type outcome int

const (
	succeeded outcome = iota
	exitFailure
	timedOut
	interrupted // by the end of the agent
)

// Times that a script is given; tests shorten them.
type patience struct {
	kill      time.Duration // between interrupt and kill
	leftovers time.Duration // for background processes that hold the output open
}

var usualPatience = patience{kill: 10 * time.Second, leftovers: 10 * time.Second}

// maxArgument is the longest script that is given to a shell as an argument;
// the kernel's limit is 128 KiB.
const maxArgument = 100 << 10

// runScript runs one script to its end and logs how it went.
func (a *agent) runScript(ctx context.Context, s berth.Script, stage string, p patience) outcome {
	name := first(s.DisplayName, s.ID, "script")
	say := func(level, format string, args ...any) { a.lines.add(level, stage, name, fmt.Sprintf(format, args...)) }
	env := a.environment()
	out := newOutput(a.logPath(s.LogPath, env), a.log, func(text string) { a.lines.add("info", stage, name, text) })
	cmd, err := a.scriptCommand(s, env)
	if err != nil {
		out.Close()
		say("error", "The script cannot be started: %v", err)
		return exitFailure
	}
	copied, err := startWith(cmd, out)
	if err != nil {
		say("error", "The script cannot be started: %v", err)
		return exitFailure
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	result := await(ctx, cmd, exited, time.Duration(s.Timeout)*time.Second, p)
	select {
	case <-copied:
	case <-time.After(p.leftovers):
		// They keep their output and run on; only nobody waits for them.
		say("warn", "The script has ended, but something that it started still holds its output open. Redirect the output of background processes, for example to a file.")
	}
	switch {
	case result == timedOut:
		say("error", "The script was stopped: it took longer than its timeout of %d s.", s.Timeout)
	case result == interrupted:
		say("warn", "The script was interrupted: the workspace stops.")
	case !cmd.ProcessState.Success():
		say("error", "The script failed: %v.", cmd.ProcessState)
		result = exitFailure
	}
	return result
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
	if err := cmd.Start(); err != nil {
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

// scriptCommand makes the process of a script. A script that names its
// interpreter in the first line gets it; the others get the user's shell.
func (a *agent) scriptCommand(s berth.Script, env []string) (*exec.Cmd, error) {
	args := []string{shell.CurrentUser(env).Shell, "-c", s.Script}
	interpreter := shebang(s.Script)
	if interpreter != nil || len(s.Script) > maxArgument {
		file, err := a.scriptFile(s)
		switch {
		case err == nil && interpreter != nil:
			args = append(interpreter, file)
		case err == nil:
			args = []string{args[0], file}
		case len(s.Script) > maxArgument:
			return nil, err
		}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = a.dir()
	if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		cmd.Dir = "/"
	}
	cmd.Env = env
	if a.dataDir != "" {
		dir := a.scriptDir(s.ID)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			a.log.Warn("no data folder for a script", "error", err)
		}
		cmd.Env = append(cmd.Env, "CODER_SCRIPT_DATA_DIR="+dir, "BERTH_SCRIPT_DATA_DIR="+dir)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // so that signals reach all that it starts
	return cmd, nil
}

// shebang reads the interpreter, and the one argument that it may have, from a
// script's first line, as the kernel does; nil when there is none.
func shebang(script string) []string {
	line, ok := strings.CutPrefix(strings.TrimLeft(script, " \t\r\n"), "#!")
	if !ok {
		return nil
	}
	line, _, _ = strings.Cut(line, "\n")
	path, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	if path == "" {
		return nil
	}
	if argument = strings.TrimSpace(argument); argument != "" {
		return []string{path, argument}
	}
	return []string{path}
}

// scriptFile writes a script where an interpreter can read it. It is given to
// the interpreter by name, so it need not be on a disk that allows programs.
func (a *agent) scriptFile(s berth.Script) (string, error) {
	if a.dataDir == "" {
		return "", errors.New("there is no place to write it to")
	}
	dir := a.scriptDir(s.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "script")
	return path, os.WriteFile(path, []byte(strings.TrimLeft(s.Script, " \t\r\n")), 0o700)
}

// logPath is where a script's log goes; empty: nowhere.
func (a *agent) logPath(path string, env []string) string {
	if path == "" {
		return ""
	}
	if !filepath.IsAbs(path) && !strings.HasPrefix(path, "~") && !strings.HasPrefix(path, "$") {
		return filepath.Join(first(a.config.LogDir, os.TempDir()), path)
	}
	return expand(path, env)
}
