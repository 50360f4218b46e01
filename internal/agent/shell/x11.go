package shell

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// X11 displays that are offered to programs: localhost:10 and up, as sshd does.
const (
	firstDisplay = 10
	displays     = 1000
	displayPort  = 6000 // of display 0
	maxCookie    = 1024 // bytes
)

// display is the X11 display of a session: connections to it go to the client.
// The client checks their cookie, which is one of its own making.
type display struct {
	number int
	screen uint32
	auth   xauthEntry
	file   string // where auth was written
	dir    string // of a file of the session's own; empty when it is the person's
}

// key names its listener among the connection's.
func (d *display) key() string { return fmt.Sprint("x11 ", d.number) }

// forwardX11 answers x11-req (-X, -Y). The display ends with the session.
func (s *session) forwardX11(payload []byte) bool {
	var m struct {
		Single           bool
		Protocol, Cookie string
		Screen           uint32
	}
	if ssh.Unmarshal(payload, &m) != nil || s.display != nil || s.started {
		return false
	}
	cookie, err := hex.DecodeString(m.Cookie)
	if err != nil || len(cookie) == 0 || len(cookie) > maxCookie || !protocolName(m.Protocol) {
		return false
	}
	c := s.conn
	f, number, err := listenDisplay(m.Single)
	if err == nil {
		d := &display{number: number, screen: m.Screen}
		d.auth = xauthEntry{family: familyLocal, address: hostname(), number: fmt.Sprint(number), name: m.Protocol, data: cookie}
		if err = c.addForward(d.key(), f); err == nil {
			s.display = d
			c.accept(f, "x11", func(conn net.Conn) []byte {
				host, port := address(conn.RemoteAddr())
				return ssh.Marshal(struct {
					Host string
					Port uint32
				}{host, portNumber(port)})
			})
			return true
		}
	}
	c.server.options.Log.Info("refused to forward X11", "error", err)
	return false
}

// protocolName tells whether name can be that of an authentication protocol.
func protocolName(name string) bool {
	return name != "" && len(name) <= 64 && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}

func hostname() string {
	name, _ := os.Hostname()
	return name
}

// listenDisplay listens on the first free display.
func listenDisplay(single bool) (*forward, int, error) {
	for n := firstDisplay; n < firstDisplay+displays; n++ {
		f, err := listenLoopback(displayPort + n)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err == nil && single {
			taken := &atomic.Bool{}
			for i, l := range f.listeners {
				f.listeners[i] = once{l, taken}
			}
		}
		return f, n, err
	}
	return nil, 0, fmt.Errorf("all of %d displays are taken", displays)
}

// listenLoopback listens on all loopback addresses of this machine, or on none:
// programs try both, and would give their cookie to whoever has the other.
func listenLoopback(port int) (*forward, error) {
	four, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
	if err != nil {
		return nil, err
	}
	six, err := net.Listen("tcp6", net.JoinHostPort("::1", fmt.Sprint(port)))
	switch {
	case err == nil:
		return &forward{listeners: []net.Listener{four, six}}, nil
	case errors.Is(err, syscall.EADDRINUSE):
		four.Close()
		return nil, err
	default: // there is no IPv6
		return &forward{listeners: []net.Listener{four}}, nil
	}
}

// once is a listener that takes one connection, together with those that share
// taken.
type once struct {
	net.Listener
	taken *atomic.Bool
}

func (o once) Accept() (net.Conn, error) {
	conn, err := o.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !o.taken.CompareAndSwap(false, true) {
		conn.Close()
		o.Listener.Close()
		return nil, net.ErrClosed
	}
	o.Listener.Close()
	return conn, nil
}

// offerDisplay writes the display's cookie where programs look for it, and gives
// the environment that names it. Env is the session's.
func (s *session) offerDisplay(env []string) []string {
	d := s.display
	if d == nil {
		return nil
	}
	d.file = lookup(env, "XAUTHORITY")
	if !filepath.IsAbs(d.file) {
		d.file = filepath.Join(lookup(env, "HOME"), ".Xauthority")
	}
	err := editXauthority(d.file, d.auth, true)
	if err != nil {
		// Not there, full, read-only, locked, a name from the person's own machine.
		s.conn.server.options.Log.Info("an X11 cookie goes into a file of its own", "error", err)
		if d.dir, err = os.MkdirTemp("", "berth-x11-"); err == nil {
			d.file = filepath.Join(d.dir, "Xauthority")
			err = editXauthority(d.file, d.auth, true)
		}
	}
	if err != nil {
		fmt.Fprintf(s.channel.Stderr(), "berth: no X11 forwarding: the cookie cannot be written: %v\r\n", err)
		return nil
	}
	set := []string{fmt.Sprintf("DISPLAY=localhost:%d.%d", d.number, d.screen)}
	if d.dir != "" {
		set = append(set, "XAUTHORITY="+d.file)
	}
	return set
}

// endDisplay takes back what the session's display left.
func (s *session) endDisplay() {
	d := s.display
	if d == nil {
		return
	}
	s.conn.removeForward(d.key())
	switch {
	case d.dir != "":
		os.RemoveAll(d.dir)
	case d.file != "":
		if err := editXauthority(d.file, d.auth, false); err != nil {
			s.conn.server.options.Log.Debug("an X11 cookie stays", "file", d.file, "error", err)
		}
	}
}
