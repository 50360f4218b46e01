package shell

import (
	"net"
	"os"
	"path/filepath"
)

// authChannel carries a connection to the client's authentication agent.
const authChannel = "auth-agent@openssh.com"

// forwardAuthentication answers a session's request to reach the client's
// authentication agent (-A). The socket serves the whole connection and ends
// with it.
func (s *session) forwardAuthentication() bool {
	c := s.conn
	if c.authSocket() != "" {
		return true
	}
	// 0700: whoever can reach the socket can use the person's keys.
	dir, err := os.MkdirTemp("", "berth-auth-")
	if err != nil {
		c.server.options.Log.Warn("no authentication agent for a session", "error", err)
		return false
	}
	l, err := listenUnix(socketIn(dir))
	if err == nil {
		f := &forward{listeners: []net.Listener{l}}
		if err = c.addForward("auth", f); err == nil {
			c.mu.Lock()
			c.authDir = dir
			c.mu.Unlock()
			c.accept(f, authChannel, func(net.Conn) []byte { return nil })
			return true
		}
	}
	os.RemoveAll(dir)
	c.server.options.Log.Warn("no authentication agent for a session", "error", err)
	return false
}

// authSocket is where the client's authentication agent is reached, if it is.
func (c *connection) authSocket() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.authDir == "" {
		return ""
	}
	return socketIn(c.authDir)
}

func socketIn(dir string) string { return filepath.Join(dir, "agent") }
