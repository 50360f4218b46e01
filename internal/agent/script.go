package agent

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/shell"
)

// maxArgument is the longest script that is given to a shell as an argument;
// the kernel's limit is 128 KiB.
const maxArgument = 100 << 10

// runScript runs one script to its end and logs, under name, how it went.
func (a *agent) runScript(ctx context.Context, s berth.Script, name, stage string) result {
	t := task{noun: "The script", source: name, stage: stage, logFile: s.LogPath, timeout: time.Duration(s.Timeout) * time.Second}
	return a.runTask(ctx, t, func(env []string) (*exec.Cmd, error) { return a.scriptCommand(s, env) }, nil)
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
	cmd.Env = append(env, a.startVariables()...)
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
		return filepath.Join(cmp.Or(a.config.LogDir, os.TempDir()), path)
	}
	return expand(path, env)
}
