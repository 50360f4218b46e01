package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/shell"
	"github.com/berthdev/berth/internal/agent/terminal"
	"github.com/berthdev/berth/internal/tunnel"
)

// openTerminalTime is how long a stream may take to say what it wants.
const openTerminalTime = 10 * time.Second

// newTerminals makes the terminals of web pages.
func (a *agent) newTerminals() *terminal.Terminals {
	note := func(int) { a.activity.Note(berth.EvidenceTerminal, "terminal in the browser", time.Now()) }
	return terminal.New(terminal.Options{Start: a.terminalProcess, Typed: note, Shown: note, Log: a.log})
}

// terminalProcess is what runs in a terminal: as sessions of SSH, the login
// shell, or the shell with a command.
func (a *agent) terminalProcess(command string) (*exec.Cmd, string, error) {
	env := a.environment()
	user := shell.CurrentUser(env)
	args := []string{"-l"}
	if command != "" {
		args = []string{"-c", command}
	}
	cmd := exec.Command(user.Shell, args...)
	cmd.Env = append(env, "HOME="+user.Home, "SHELL="+user.Shell, "USER="+user.Name, "LOGNAME="+user.Name,
		"TERM=xterm-256color", "COLORTERM=truecolor")
	cmd.Dir = user.Home
	if dir := a.dir(); filepath.IsAbs(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			cmd.Dir = dir
		}
	}
	greeting := ""
	if command == "" {
		greeting = shell.Options{Banner: a.banner, MOTD: a.motd, Log: a.log}.Greeting(cmd.Env)
	}
	return cmd, greeting, nil
}

// serveTerminal serves a stream of kind terminal: one viewer.
func (a *agent) serveTerminal(ctx context.Context, s *tunnel.Stream, id string) {
	if err := a.viewTerminal(ctx, s, id); err != nil {
		a.log.Debug("a terminal's viewer left", "terminal", id, "error", err)
	}
}

func (a *agent) viewTerminal(ctx context.Context, s *tunnel.Stream, id string) error {
	s.SetReadDeadline(time.Now().Add(openTerminalTime))
	kind, payload, err := api.ReadTerminalFrame(s)
	if err != nil {
		return err
	}
	s.SetReadDeadline(time.Time{})
	var open api.OpenTerminal
	if kind != api.TerminalOpen || json.Unmarshal(payload, &open) != nil || !berth.IsID(id) {
		return api.WriteTerminalFrame(s, api.TerminalFailed, []byte("The server asked for a terminal in a way that this agent does not know; restart the workspace."))
	}
	viewer, err := a.terminals.Attach(id, open.Command, terminal.Size{Columns: open.Columns, Rows: open.Rows})
	if err != nil {
		a.log.Warn("no terminal for a viewer", "error", err)
		return api.WriteTerminalFrame(s, api.TerminalFailed, []byte(err.Error()))
	}
	defer viewer.Close()
	go func() {
		defer viewer.Close()
		a.typeTerminal(s, viewer)
	}()
	return showTerminal(ctx, s, viewer)
}

// typeTerminal takes what the viewer types until the stream ends. What comes
// after the program's end is for nobody; the viewer stays, since it has yet to
// hear of that end.
func (a *agent) typeTerminal(s *tunnel.Stream, v *terminal.Viewer) {
	for {
		kind, payload, err := api.ReadTerminalFrame(s)
		if err != nil {
			return
		}
		switch kind {
		case api.TerminalInput:
			v.Type(payload)
		case api.TerminalResize:
			if size, err := api.ReadTerminalSize(payload); err == nil {
				v.Resize(terminal.Size(size))
			}
		}
	}
}

// showTerminal sends what the viewer is to see, until the terminal or the
// viewer ends.
func showTerminal(ctx context.Context, s *tunnel.Stream, v *terminal.Viewer) error {
	for {
		e, err := v.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case e.Size != nil:
			err = api.WriteTerminalFrame(s, api.TerminalResize, api.TerminalSize(*e.Size).Payload())
		case e.End != nil:
			var text []byte
			if text, err = json.Marshal(api.TerminalEnd(*e.End)); err == nil {
				err = api.WriteTerminalFrame(s, api.TerminalExit, text)
			}
		default:
			err = api.WriteTerminalFrame(s, api.TerminalOutput, e.Output)
		}
		if err != nil {
			return err
		}
	}
}
