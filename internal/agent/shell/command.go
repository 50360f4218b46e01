package shell

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/agent/spawn"
)

// statusNoStart is the exit status of a session whose shell did not start.
const statusNoStart = 229

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// command makes the process of the session: the login shell, or the shell with
// text as its command.
func (s *session) command(text string, asked []string) *exec.Cmd {
	env := s.conn.server.options.Env()
	user := CurrentUser(env)
	env = append(env, "HOME="+user.Home, "SHELL="+user.Shell, "USER="+user.Name, "LOGNAME="+user.Name)
	if lookup(env, "PATH") == "" {
		env = append(env, "PATH="+defaultPath)
	}
	env = append(env, asked...)
	env = append(env, s.conn.clientEnv()...)
	if socket := s.conn.authSocket(); socket != "" {
		env = append(env, "SSH_AUTH_SOCK="+socket)
	}
	if s.terminal != nil {
		env = append(env, "TERM="+s.terminal.term, "SSH_TTY="+s.terminal.name)
	}
	env = append(env, s.offerDisplay(env)...)
	args := []string{"-c", text}
	if text == "" {
		args = []string{"-l"}
	}
	cmd := exec.Command(user.Shell, args...)
	cmd.Env = env // of a name that comes twice, exec takes the last
	cmd.Dir = s.directory(user.Home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// directory is where a session starts: the configured one, or home, or / when
// these are not there.
func (s *session) directory(home string) string {
	dirs := []string{home}
	if dir := s.conn.server.options.Dir; dir != nil {
		dirs = []string{dir(), home}
	}
	for _, dir := range dirs {
		if filepath.IsAbs(dir) && isDir(dir) {
			return dir
		}
	}
	return "/"
}

// run runs a command, or the login shell when text is empty, and reports how it
// ended.
func (s *session) run(text string) {
	name, asked := clientName(s.env)
	s.conn.knowClient(clientOf(name, text))
	kind := KindCommand
	if s.terminal != nil {
		kind = KindTerminal
	}
	use := &renamed{use: s.conn.opened(kind)}
	defer use.Close()
	if s.terminal == nil && s.conn.knownClient() == "" && bareShell(text) {
		s.input = &script{Reader: s.channel, found: func(client string) {
			s.conn.knowClient(client)
			use.become(s.conn.opened(kind))
		}}
	}
	cmd := s.command(text, asked)
	runOn := s.runOnPipes
	if s.terminal != nil {
		runOn = s.runOnTerminal
		if text == "" {
			fmt.Fprint(s.channel, s.conn.server.options.Greeting(cmd.Env))
		}
	}
	if err := runOn(cmd, use); err != nil {
		s.conn.server.options.Log.Warn("a session could not start", "shell", cmd.Path, "error", err)
		// The carriage return is for terminals in raw mode; elsewhere it does no harm.
		fmt.Fprintf(s.channel.Stderr(), "berth: cannot start %s in %s: %v\r\n", cmd.Path, cmd.Dir, err)
		reportStatus(s.channel, statusNoStart)
	}
}

// begin starts cmd and lets signals reach it.
func (s *session) begin(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := spawn.Start(cmd); err != nil {
		return err
	}
	s.process = cmd.Process
	return nil
}

// wait waits for the end of cmd. Signals no longer reach it then: its number
// may be another's.
func (s *session) wait(cmd *exec.Cmd) syscall.WaitStatus {
	waitExited(cmd.Process.Pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = nil
	cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// Greeting is what a new terminal with environment env shows first: the banner
// and the message of the day, unless the person turned that off.
func (o Options) Greeting(env []string) string {
	if _, err := os.Stat(filepath.Join(lookup(env, "HOME"), ".hushlogin")); err == nil {
		return ""
	}
	text := ""
	if o.Banner != nil {
		text = shown(o.Banner())
	}
	if o.MOTD == nil || o.MOTD() == "" {
		return text
	}
	motd, err := readGreeting(o.MOTD())
	if err != nil {
		o.Log.Debug("no message of the day", "error", err)
	}
	return text + shown(motd)
}

// maxGreeting bounds what is shown of a message of the day.
const maxGreeting = 64 << 10

// readGreeting reads a text file. A pipe that somebody put in its place does
// not keep the person waiting.
func readGreeting(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxGreeting))
	return string(text), err
}

// shown is text as a terminal takes it.
func shown(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\r\n", "\n")
	return strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
}

// waitExited waits for the end of a child and leaves its status to be read.
func waitExited(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
