package shell

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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
	client, asked := clientName(s.env)
	kind := KindCommand
	if s.terminal != nil {
		kind = KindTerminal
	}
	use := s.conn.server.options.Evidence.Open(Opened{Kind: kind, Client: client})
	defer use.Close()
	cmd := s.command(text, asked)
	runOn := s.runOnPipes
	if s.terminal != nil {
		runOn = s.runOnTerminal
		if text == "" {
			s.greet(cmd.Env)
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
	if err := cmd.Start(); err != nil {
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

// greet shows the message of the day, unless the person turned that off.
func (s *session) greet(env []string) {
	motd := s.conn.server.options.MOTD
	if motd == nil || motd() == "" {
		return
	}
	if _, err := os.Stat(filepath.Join(lookup(env, "HOME"), ".hushlogin")); err == nil {
		return
	}
	text, err := os.ReadFile(motd())
	if err != nil {
		s.conn.server.options.Log.Debug("no message of the day", "error", err)
		return
	}
	fmt.Fprint(s.channel, strings.ReplaceAll(string(text), "\n", "\r\n"))
}

// waitExited waits for the end of a child and leaves its status to be read.
func waitExited(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
