package shell

import (
	"io"
	"slices"
	"strings"
	"sync"
)

// sessionTypes are the variables in which clients say what they are.
var sessionTypes = []string{"CODER_SSH_SESSION_TYPE", "BERTH_SSH_SESSION_TYPE"}

// marks are pieces of what editors run on the far side, and whose they are. The
// first that is found counts, so the longer names of derived editors come first.
var marks = []struct{ text, client string }{
	{".vscodium-server", "vscodium"},
	{".cursor-server", "cursor"},
	{".windsurf-server", "windsurf"},
	{".vscode-server", "vscode"},
	{".vscode-remote", "vscode"},
	{"VSCODE_AGENT_FOLDER", "vscode"},
	{".zed_server", "zed"},
	{"zed-remote-server", "zed"},
	{"JetBrains/RemoteDev", "jetbrains"},
	{"remote-dev-server", "jetbrains"},
	{"jetbrains-gateway", "jetbrains"},
	{"JetBrains/Toolbox", "jetbrains"},
}

// clientOf tells which editor a session belongs to, "" for plain SSH: by what it
// calls itself, else by a command or the beginning of a script.
func clientOf(name, text string) string {
	name = strings.ToLower(name)
	switch {
	case name == "ssh" || name == "reconnecting_pty":
		return ""
	case name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "":
		return name
	}
	for _, m := range marks {
		if strings.Contains(text, m.text) {
			return m.client
		}
	}
	return ""
}

// clientName takes what the client calls itself out of env.
func clientName(env []string) (name string, rest []string) {
	rest = slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		key, value, _ := strings.Cut(e, "=")
		if !slices.Contains(sessionTypes, key) {
			return false
		}
		name = value
		return true
	})
	return name, rest
}

// knowClient notes which editor the connection belongs to. Editors run several
// things on one connection, and not all of them tell.
func (c *connection) knowClient(name string) {
	if name == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client = name
}

// knownClient is the editor that the connection belongs to, as far as is known.
func (c *connection) knownClient() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

// opened tells of a stream of the connection.
func (c *connection) opened(kind Kind) Use {
	return c.server.options.Evidence.Open(Opened{Kind: kind, Client: c.knownClient()})
}

// maxScript is how much of a script is looked at for marks: editors name their
// folder within its first lines. No mark is longer than longestMark.
const (
	maxScript   = 16 << 10
	longestMark = 32
)

// script is the input of a command that is a bare shell. Editors give it the
// script that begins their server, so they are known by it.
type script struct {
	io.Reader
	found func(client string)
	seen  int
	last  []byte // the end of what was read before
	done  bool
}

func (s *script) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.done {
		return n, err
	}
	text := append(s.last, p[:n]...)
	s.seen += n
	client := clientOf("", string(text))
	if s.done = client != "" || s.seen >= maxScript; s.done {
		s.last = nil
	} else {
		s.last = append(s.last[:0], text[max(0, len(text)-longestMark):]...)
	}
	if client != "" {
		s.found(client)
	}
	return n, err
}

// bareShell tells whether a command only runs a shell, which reads what to do.
func bareShell(command string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	return slices.Contains([]string{"", "sh", "bash", "/bin/sh", "/bin/bash", "/usr/bin/env"}, first)
}

// renamed is a use that becomes another one's when the client is known.
type renamed struct {
	mu  sync.Mutex
	use Use
}

func (r *renamed) now() Use {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.use
}

func (r *renamed) In(n int)  { r.now().In(n) }
func (r *renamed) Out(n int) { r.now().Out(n) }
func (r *renamed) Close()    { r.now().Close() }

// become goes on with another use.
func (r *renamed) become(use Use) {
	r.mu.Lock()
	old := r.use
	r.use = use
	r.mu.Unlock()
	old.Close()
}
