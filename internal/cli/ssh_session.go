package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/term"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
)

// sessionOptions say what runs in a session.
type sessionOptions struct {
	command      string // empty: a login shell
	env          map[string]string
	forwardAgent bool
	tty          bool
	name         string
	local, far   []forward // -L and -R
	none         bool      // only forward, until interrupted
}

// session speaks SSH on the stream and runs one session with this process's
// streams. The stream proves the far side, so its host key is not looked at.
func (a *app) session(ctx context.Context, stream *client.Stream, o sessionOptions) error {
	conn, channels, requests, err := ssh.NewClientConn(stream, o.name, &ssh.ClientConfig{
		User:            "berth",
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return berth.Errorf(berth.Unavailable, "%s does not speak SSH: %v", o.name, err)
	}
	remote := ssh.NewClient(conn, channels, requests)
	defer remote.Close()
	end, err := a.forwards(remote, o.local, o.far)
	if err != nil {
		return err
	}
	defer end()
	if o.none {
		defer context.AfterFunc(ctx, func() { _ = remote.Close() })()
		return ended(ctx, stream, remote.Wait())
	}
	s, err := remote.NewSession()
	if err != nil {
		return fmt.Errorf("opening a session: %w", err)
	}
	defer s.Close()
	if o.forwardAgent {
		if err := forwardAgent(remote, s); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.env)) {
		if err := s.Setenv(name, o.env[name]); err != nil {
			return berth.Errorf(berth.Forbidden, "the workspace does not take the variable %s", name)
		}
	}
	restore, err := a.terminal(s, o)
	if err != nil {
		return err
	}
	defer restore()
	in, err := s.StdinPipe()
	if err != nil {
		return fmt.Errorf("opening a session: %w", err)
	}
	s.Stdout, s.Stderr = a.out, a.err
	start := s.Shell
	if o.command != "" {
		start = func() error { return s.Start(o.command) }
	}
	if err := start(); err != nil {
		return fmt.Errorf("starting the session: %w", err)
	}
	go func() {
		_, _ = io.Copy(in, a.in)
		_ = in.Close()
	}()
	defer context.AfterFunc(ctx, func() {
		_ = s.Signal(ssh.SIGINT)
		_ = remote.Close()
	})()
	return ended(ctx, stream, s.Wait())
}

// ended makes the exit code of a session's end.
func ended(ctx context.Context, stream *client.Stream, err error) error {
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return status(exitInterrupted)
	case errors.As(err, &exit) && exit.Signal() != "":
		return status(128 + signals[exit.Signal()])
	case errors.As(err, &exit):
		return status(exit.ExitStatus())
	}
	if why := stream.Err(); why != nil {
		err = why // SSH only knows that it ended
	}
	return berth.Errorf(berth.Unavailable, "the connection ended before the command did: %v", err)
}

// signals are the numbers that shells add to 128.
var signals = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "FPE": 8, "KILL": 9,
	"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15}

func forwardAgent(remote *ssh.Client, s *ssh.Session) error {
	sock := os.Getenv("SSH_AUTH_SOCK")
	if sock == "" {
		return berth.Errorf(berth.Invalid, "there is no SSH agent to forward: SSH_AUTH_SOCK is not set")
	}
	if err := agent.ForwardToRemote(remote, sock); err != nil {
		return fmt.Errorf("forwarding the SSH agent: %w", err)
	}
	if err := agent.RequestAgentForwarding(s); err != nil {
		return fmt.Errorf("forwarding the SSH agent: %w", err)
	}
	return nil
}

// terminal gives the session a terminal where this process has one: always for
// a shell, for a command when asked. What it returns puts ours back.
func (a *app) terminal(s *ssh.Session, o sessionOptions) (restore func(), err error) {
	f, ok := a.in.(*os.File)
	if !ok || !a.inTTY || o.command != "" && !o.tty {
		return func() {}, nil
	}
	fd := int(f.Fd())
	width, height, err := term.GetSize(fd)
	if err != nil {
		width, height = 80, 24
	}
	if err := s.RequestPty(first(os.Getenv("TERM"), "xterm-256color"), height, width, ssh.TerminalModes{ssh.ECHO: 1}); err != nil {
		return nil, fmt.Errorf("asking for a terminal: %w", err)
	}
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("setting the terminal: %w", err)
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			if w, h, err := term.GetSize(fd); err == nil {
				_ = s.WindowChange(h, w)
			}
		}
	}()
	return func() {
		signal.Stop(resized)
		close(resized)
		_ = term.Restore(fd, old)
	}, nil
}

func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
