package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/shell"
)

// configureHooks are where an image may have a program that runs at every
// start. Both are run, where there are two.
var configureHooks = []string{"/coder/configure", "/berth/configure"}

// runConfigure runs the image's hook, as the image's user, who is the agent's
// own. What it prints is also in ~/configure.log.
func (a *agent) runConfigure(ctx context.Context, h api.Hook) {
	var there []string
	var files []fs.FileInfo
	for _, path := range a.configure {
		info, err := os.Stat(path)
		if isMissing(err) {
			continue
		}
		if info != nil && contains(files, info) { // one is a link to the other
			continue
		}
		there, files = append(there, path), append(files, info)
	}
	a.runPrograms(ctx, h, "~/configure.log", there...)
}

// runPersonalize runs the person's hook, which is in the home.
func (a *agent) runPersonalize(ctx context.Context, h api.Hook) {
	path := filepath.Join(value(a.environment(), "HOME"), "personalize")
	if _, err := os.Stat(path); isMissing(err) {
		return
	}
	a.runPrograms(ctx, h, "", path)
}

// isMissing tells whether err says that nothing is at a path.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func contains(files []fs.FileInfo, info fs.FileInfo) bool {
	for _, f := range files {
		if f != nil && os.SameFile(f, info) {
			return true
		}
	}
	return false
}

// runPrograms runs programs one after the other as one step, if there are any.
// One that cannot be run as it is is a warning, with what to do.
func (a *agent) runPrograms(ctx context.Context, h api.Hook, logFile string, paths ...string) {
	if len(paths) == 0 {
		return
	}
	end := a.steps.begin(h.Kind, h.Name)
	worst := result{}
	for i, path := range paths {
		t := task{noun: a.short(path), source: h.Name, stage: "start", logFile: logFile, logMore: i > 0, timeout: a.patience.hook}
		got := a.runProgram(ctx, t, path)
		if got.worse(worst) {
			worst = got
		}
		if ctx.Err() != nil {
			break
		}
	}
	end(worst.status(), worst.exit, worst.detail)
}

func (a *agent) runProgram(ctx context.Context, t task, path string) result {
	if problem := notRunnable(path); problem != "" {
		text := fmt.Sprintf(problem, t.noun)
		a.lines.add("warn", t.stage, t.source, text)
		return result{outcome: succeeded, warning: true, detail: text}
	}
	a.lines.add("info", t.stage, t.source, fmt.Sprintf("Running %s, for at most %.0f minutes.", t.noun, t.timeout.Minutes()))
	return a.runTask(ctx, t, func(env []string) (*exec.Cmd, error) {
		return a.hookCommand(env, path), nil
	}, func(env []string) *exec.Cmd { // a script without a first line that says of what
		return a.hookCommand(env, shell.CurrentUser(env).Shell, path)
	})
}

// notRunnable is why the file at path is not run, with the cure; %s in it
// stands for its name.
func notRunnable(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "%s was not run, it cannot be looked at: " + strings.ReplaceAll(err.Error(), "%", "%%")
	case !info.Mode().IsRegular():
		return "%s was not run: it is not a file."
	case unix.Access(path, unix.X_OK) != nil:
		return "%[1]s was not run: it is not executable. To have it run at every start: chmod +x %[1]s"
	}
	return ""
}

// hookCommand is the process of a hook: in the home, without a terminal.
func (a *agent) hookCommand(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = value(env, "HOME")
	cmd.Env = append(env, a.startVariables()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// short is a path as people write it.
func (a *agent) short(path string) string {
	if rest, ok := strings.CutPrefix(path, value(a.environment(), "HOME")+"/"); ok {
		return "~/" + rest
	}
	return path
}

// runDotfiles brings the owner's dotfiles into the home, with the command that
// they could use themselves.
func (a *agent) runDotfiles(ctx context.Context, h api.Hook) {
	id := a.identity.Load()
	if id == nil || id.Dotfiles == "" {
		return
	}
	end := a.steps.begin(h.Kind, h.Name)
	t := task{noun: "coder dotfiles", source: h.Name, stage: "start", timeout: a.patience.hook}
	a.lines.add("info", t.stage, t.source, fmt.Sprintf("Dotfiles of %s, for at most %.0f minutes.", id.Dotfiles, t.timeout.Minutes()))
	got := a.runTask(ctx, t, func(env []string) (*exec.Cmd, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		cmd := a.hookCommand(env, self, "dotfiles", "--yes", "--", id.Dotfiles)
		cmd.Args[0] = "coder"
		cmd.Env = append(cmd.Env, "GIT_TERMINAL_PROMPT=0")
		return cmd, nil
	}, nil)
	end(got.status(), got.exit, got.detail)
}

// status is a result as a step shows it.
func (r result) status() berth.StepStatus {
	switch {
	case r.outcome == timedOut:
		return berth.StepTimeout
	case r.outcome != succeeded:
		return berth.StepFailed
	case r.warning:
		return berth.StepWarning
	default:
		return berth.StepDone
	}
}
