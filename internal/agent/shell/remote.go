package shell

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// forward is a listener in the workspace whose connections go to the client.
type forward struct {
	listeners []net.Listener
}

func (f *forward) close() {
	for _, l := range f.listeners {
		l.Close()
	}
}

// tcpForward names a port to listen on, as the client writes it.
type tcpForward struct {
	Host string
	Port uint32
}

func (t tcpForward) key() string { return fmt.Sprintf("tcp %d %s", t.Port, t.Host) }

// listenTCP answers tcpip-forward (-R). Port 0 lets the system choose; the
// answer says which. Without an address the client says "localhost", so other
// machines reach the port only when that was asked for.
func (c *connection) listenTCP(r *ssh.Request) {
	var m tcpForward
	if ssh.Unmarshal(r.Payload, &m) != nil || m.Port > 65535 {
		r.Reply(false, nil)
		return
	}
	chosen := m.Port == 0
	f, err := listenOn(&m)
	if err == nil {
		err = c.addForward(m.key(), f)
	}
	if err != nil {
		c.server.options.Log.Info("refused to listen for an SSH client", "host", m.Host, "port", m.Port, "error", err)
		r.Reply(false, nil)
		return
	}
	var answer []byte
	if chosen {
		answer = ssh.Marshal(struct{ Port uint32 }{m.Port})
	}
	// Answered before connections are taken: the client would not know them.
	r.Reply(true, answer)
	c.accept(f, "forwarded-tcpip", func(conn net.Conn) []byte {
		host, port := address(conn.RemoteAddr())
		return ssh.Marshal(struct {
			Host     string
			Port     uint32
			From     string
			FromPort uint32
		}{m.Host, m.Port, host, portNumber(port)})
	})
}

// portNumber is a port as SSH writes it; 0 where there is none.
func portNumber(port string) uint32 {
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint32(n)
}

// listenOn listens where m says and writes the port that was chosen into it.
func listenOn(m *tcpForward) (*forward, error) {
	var hosts []string
	switch m.Host {
	case "", "*":
		hosts = []string{""}
	case "localhost":
		hosts = []string{"127.0.0.1", "::1"}
	default:
		hosts = []string{m.Host}
	}
	f := &forward{}
	var first error
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(m.Port)))
		if err != nil {
			if first == nil {
				first = err
			}
			// Without IPv6, or with its port taken, 127.0.0.1 is enough.
			continue
		}
		f.listeners = append(f.listeners, l)
		if m.Port == 0 {
			m.Port = uint32(l.Addr().(*net.TCPAddr).Port)
		}
	}
	if len(f.listeners) == 0 || m.Host == "localhost" && first != nil && len(f.listeners) == 1 && isV6(f.listeners[0]) {
		f.close()
		return nil, first
	}
	return f, nil
}

func isV6(l net.Listener) bool {
	return l.Addr().(*net.TCPAddr).IP.To4() == nil
}

func (c *connection) cancelTCP(r *ssh.Request) {
	var m tcpForward
	r.Reply(ssh.Unmarshal(r.Payload, &m) == nil && c.removeForward(m.key()), nil)
}

type socketForward struct{ Path string }

func (s socketForward) key() string { return "unix " + s.Path }

// listenSocket answers streamlocal-forward (-R with a path).
func (c *connection) listenSocket(r *ssh.Request) {
	var m socketForward
	if ssh.Unmarshal(r.Payload, &m) != nil {
		r.Reply(false, nil)
		return
	}
	path := m.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(CurrentUser(c.server.options.Env()).Home, path)
	}
	l, err := listenUnix(path)
	f := &forward{listeners: []net.Listener{l}}
	if err == nil {
		err = c.addForward(m.key(), f)
	}
	if err != nil {
		c.server.options.Log.Info("refused to listen for an SSH client", "path", path, "error", err)
		r.Reply(false, nil)
		return
	}
	r.Reply(true, nil)
	c.accept(f, "forwarded-streamlocal@openssh.com", func(net.Conn) []byte {
		return ssh.Marshal(struct{ Path, Reserved string }{m.Path, ""})
	})
}

// listenUnix listens on a socket that only this user can use. A socket that
// nobody listens on, left by a process that was killed, gives way.
func listenUnix(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		info, statErr := os.Lstat(path)
		if statErr != nil || info.Mode()&os.ModeSocket == 0 {
			return nil, err
		}
		if conn, dialErr := net.Dial("unix", path); dialErr == nil {
			conn.Close()
			return nil, err
		}
		if os.Remove(path) != nil {
			return nil, err
		}
		if l, err = net.Listen("unix", path); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (c *connection) cancelSocket(r *ssh.Request) {
	var m socketForward
	r.Reply(ssh.Unmarshal(r.Payload, &m) == nil && c.removeForward(m.key()), nil)
}

// addForward keeps f under key, or closes it.
func (c *connection) addForward(key string, f *forward) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	switch {
	case c.gone:
		err = net.ErrClosed
	case c.listeners[key] != nil:
		err = errors.New("is forwarded already")
	case len(c.listeners) >= maxForwards:
		err = fmt.Errorf("more than %d listeners on one connection", maxForwards)
	default:
		c.listeners[key] = f
		return nil
	}
	f.close()
	return err
}

func (c *connection) removeForward(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.listeners[key]
	if f == nil {
		return false
	}
	delete(c.listeners, key)
	f.close()
	return true
}

// accept passes connections of f on to the client until f is closed.
func (c *connection) accept(f *forward, kind string, describe func(net.Conn) []byte) {
	for _, l := range f.listeners {
		c.running.Go(func() {
			for {
				conn, err := l.Accept()
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil {
					time.Sleep(50 * time.Millisecond) // out of files, most likely
					continue
				}
				c.running.Go(func() { c.pass(conn, kind, describe(conn)) })
			}
		})
	}
}

// pass opens a channel to the client for conn.
func (c *connection) pass(conn net.Conn, kind string, description []byte) {
	defer c.channels.Add(-1)
	if c.channels.Add(1) > maxChannels {
		conn.Close()
		return
	}
	channel, requests, err := c.reach(kind, description)
	if err != nil {
		conn.Close()
		return
	}
	var use Use = noUse{}
	if kind != authChannel {
		use = c.opened(KindForward)
	}
	c.join(channel, requests, conn.(stream), use)
}

// reach opens a channel to the client. A client that has our answer to its
// request to listen may not have taken note of it yet, and prohibits what comes
// to a port that it does not know: it is asked again for a second.
func (c *connection) reach(kind string, description []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	for wait := 8 * time.Millisecond; ; wait *= 2 {
		channel, requests, err := c.ssh.OpenChannel(kind, description)
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) || refused.Reason != ssh.Prohibited || !strings.HasPrefix(kind, "forwarded-") || wait > 512*time.Millisecond {
			return channel, requests, err
		}
		time.Sleep(wait)
	}
}
