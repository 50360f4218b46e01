package shell

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// connection is one SSH connection with all that runs on it.
type connection struct {
	server *Server
	raw    net.Conn
	ssh    *ssh.ServerConn

	// alive ends with the connection, for what would outlast it.
	alive      context.Context
	channels   atomic.Int32
	noSessions atomic.Bool
	running    sync.WaitGroup

	mu        sync.Mutex
	gone      bool
	listeners map[string]*forward // by kind and name, as the client gave them
	sessions  map[*session]bool
	client    string // the editor that this is a connection of; empty: none, or not known
	authDir   string // holds the socket of the client's authentication agent
}

// serve runs the connection from handshake to end.
func (c *connection) serve() {
	defer c.raw.Close()
	// A timer instead of deadlines: it works with every kind of net.Conn.
	timer := time.AfterFunc(handshakeTime, func() { c.raw.Close() })
	g, err := greet(&whole{Conn: c.raw})
	if err != nil {
		timer.Stop()
		return
	}
	config := &ssh.ServerConfig{NoClientAuth: true, ServerVersion: serverVersion}
	config.Ciphers = g.ciphers()
	config.AddHostKey(c.server.hostKey)
	sshConn, channels, requests, err := ssh.NewServerConn(g, config)
	if !timer.Stop() && err == nil {
		sshConn.Close()
		return
	}
	if err != nil {
		c.server.options.Log.Debug("SSH handshake failed", "error", err)
		return
	}
	alive, die := context.WithCancel(context.Background())
	c.ssh, c.alive = sshConn, alive
	defer c.end(die)
	c.running.Go(func() { c.globalRequests(requests) })
	for ch := range channels {
		c.open(ch)
	}
}

// open serves a channel that the client asks for, within the limit.
func (c *connection) open(ch ssh.NewChannel) {
	if c.channels.Add(1) > maxChannels {
		c.channels.Add(-1)
		ch.Reject(ssh.ResourceShortage, fmt.Sprintf("more than %d channels on one connection", maxChannels))
		return
	}
	var serve func(ssh.NewChannel)
	switch ch.ChannelType() {
	case "session":
		serve = c.session
	case "direct-tcpip":
		serve = c.directTCP
	case "direct-streamlocal@openssh.com":
		serve = c.directSocket
	default:
		c.channels.Add(-1)
		ch.Reject(ssh.UnknownChannelType, "this server does not know channels of type "+ch.ChannelType())
		return
	}
	c.running.Go(func() {
		defer c.channels.Add(-1)
		serve(ch)
	})
}

func (c *connection) globalRequests(requests <-chan *ssh.Request) {
	for r := range requests {
		switch r.Type {
		case "keepalive@openssh.com":
			r.Reply(true, nil)
		case "no-more-sessions@openssh.com":
			c.noSessions.Store(true)
			r.Reply(true, nil)
		case "tcpip-forward":
			c.listenTCP(r)
		case "cancel-tcpip-forward":
			c.cancelTCP(r)
		case "streamlocal-forward@openssh.com":
			c.listenSocket(r)
		case "cancel-streamlocal-forward@openssh.com":
			c.cancelSocket(r)
		default:
			r.Reply(false, nil)
		}
	}
}

// hangUp ends the connection from our side.
func (c *connection) hangUp() {
	c.mu.Lock()
	for s := range c.sessions {
		s.hangUp()
	}
	c.mu.Unlock()
	c.raw.Close()
}

// end closes what the connection opened and waits for it.
func (c *connection) end(die func()) {
	c.ssh.Close()
	die()
	c.mu.Lock()
	c.gone = true
	for _, f := range c.listeners {
		f.close()
	}
	dir := c.authDir
	c.mu.Unlock()
	c.running.Wait()
	if dir != "" {
		os.RemoveAll(dir)
	}
}

// clientEnv is SSH_CLIENT and SSH_CONNECTION. The connection may come through a
// tunnel and have no address; programs that parse these want numbers all the same.
func (c *connection) clientEnv() []string {
	host, port := address(c.raw.RemoteAddr())
	toHost, toPort := address(c.raw.LocalAddr())
	if toPort == "0" {
		toPort = "22"
	}
	return []string{
		strings.Join([]string{"SSH_CLIENT=" + host, port, toPort}, " "),
		strings.Join([]string{"SSH_CONNECTION=" + host, port, toHost, toPort}, " "),
	}
}

func address(a net.Addr) (host, port string) {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP.String(), fmt.Sprint(tcp.Port)
	}
	if a != nil {
		if h, p, err := net.SplitHostPort(a.String()); err == nil && net.ParseIP(h) != nil {
			return h, p
		}
	}
	return "127.0.0.1", "0"
}
