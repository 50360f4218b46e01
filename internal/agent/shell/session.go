package shell

import (
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// Limits of what a client may set before its command starts.
const (
	maxEnv      = 256
	maxEnvBytes = 128 << 10
)

// session is one session channel: it is set up by requests, then runs one
// command, and hears of signals and window sizes while that runs.
type session struct {
	conn    *connection
	channel ssh.Channel
	input   io.Reader // of the command: what comes on channel

	env      []string // asked for by the client
	envBytes int
	terminal *terminal // nil: none asked for
	display  *display  // nil: none asked for
	started  bool
	done     chan struct{} // closed when the command's run ended

	mu      sync.Mutex
	process *os.Process // nil before the start and after the end
	view    *view       // nil unless a command runs on a terminal
	gone    chan struct{}
}

// session serves a session channel until it is closed.
func (c *connection) session(request ssh.NewChannel) {
	if c.noSessions.Load() {
		request.Reject(ssh.Prohibited, "the client said that it wants no more sessions")
		return
	}
	channel, requests, err := request.Accept()
	if err != nil {
		return
	}
	s := &session{conn: c, channel: channel, input: channel, done: make(chan struct{}), gone: make(chan struct{})}
	c.mu.Lock()
	c.sessions[s] = true
	c.mu.Unlock()
	for r := range requests {
		s.request(r)
	}
	close(s.gone) // the client closed the channel, or we did at the end of the run
	if s.started {
		<-s.done
	}
	if s.terminal != nil {
		s.terminal.close()
	}
	s.endDisplay()
	channel.Close()
	c.mu.Lock()
	delete(c.sessions, s)
	c.mu.Unlock()
}

// request answers one request of the client. It must not block: the library
// stops the whole connection while a request waits.
func (s *session) request(r *ssh.Request) {
	switch r.Type {
	case "env":
		r.Reply(s.setEnv(r.Payload), nil)
	case "pty-req":
		r.Reply(s.openTerminal(r.Payload), nil)
	case "window-change":
		r.Reply(s.resize(r.Payload), nil)
	case "signal":
		r.Reply(s.signal(r.Payload), nil)
	case "x11-req":
		r.Reply(s.forwardX11(r.Payload), nil)
	case "auth-agent-req@openssh.com":
		r.Reply(s.forwardAuthentication(), nil)
	case "shell", "exec", "subsystem":
		s.start(r)
	default:
		r.Reply(false, nil)
	}
}

// start runs what r asks for, once.
func (s *session) start(r *ssh.Request) {
	var named struct{ Text string }
	if r.Type != "shell" && ssh.Unmarshal(r.Payload, &named) != nil {
		r.Reply(false, nil)
		return
	}
	if s.started || r.Type == "subsystem" && named.Text != "sftp" {
		r.Reply(false, nil)
		return
	}
	s.started = true
	r.Reply(true, nil)
	go func() {
		defer close(s.done)
		defer s.channel.Close()
		if r.Type == "subsystem" {
			s.sftp()
			return
		}
		s.run(named.Text)
	}()
}

func (s *session) setEnv(payload []byte) bool {
	var v struct{ Name, Value string }
	if ssh.Unmarshal(payload, &v) != nil || s.started {
		return false
	}
	if v.Name == "" || strings.ContainsAny(v.Name, "=\x00") || strings.ContainsRune(v.Value, 0) {
		return false
	}
	s.envBytes += len(v.Name) + len(v.Value)
	if len(s.env) >= maxEnv || s.envBytes > maxEnvBytes {
		return false
	}
	s.env = append(s.env, v.Name+"="+v.Value)
	return true
}

// signal passes a signal on to the process group of the command.
func (s *session) signal(payload []byte) bool {
	var m struct{ Name string }
	if ssh.Unmarshal(payload, &m) != nil {
		return false
	}
	signal, ok := signals[m.Name]
	return ok && s.kill(signal)
}

// kill signals the command and what it started, and tells whether it runs.
func (s *session) kill(signal syscall.Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process != nil && syscall.Kill(-s.process.Pid, signal) == nil
}

// hangUp tells the command that its person is gone.
func (s *session) hangUp() { s.kill(syscall.SIGHUP) }
