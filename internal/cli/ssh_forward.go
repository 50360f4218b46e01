package cli

import (
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
)

// forward is what -L or -R asks for: connections to one end are passed to the
// other.
type forward struct {
	text              string // as it was given
	listenNet, listen string
	dialNet, dial     string
}

// parseForward reads [ADDRESS:]PORT:HOST:PORT, where a path of a socket may
// stand for either end, as OpenSSH has it. Without an address it is localhost.
func parseForward(flag, text string) (forward, error) {
	bad := usagef("%s %s: give [ADDRESS:]PORT:HOST:PORT; a path beginning with / may stand for either end", flag, text)
	parts, ok := splitColons(text)
	if !ok || len(parts) < 2 {
		return forward{}, bad
	}
	f := forward{text: text, dialNet: "unix", dial: parts[len(parts)-1]}
	left := parts[:len(parts)-1]
	if !strings.HasPrefix(f.dial, "/") {
		f.dialNet, f.dial = "tcp", net.JoinHostPort(parts[len(parts)-2], f.dial)
		left = parts[:len(parts)-2]
		if parts[len(parts)-2] == "" || !validPort(parts[len(parts)-1], 1) {
			return forward{}, bad
		}
	}
	switch {
	case len(left) == 1 && strings.HasPrefix(left[0], "/"):
		f.listenNet, f.listen = "unix", left[0]
	case len(left) == 1 && validPort(left[0], 0):
		f.listenNet, f.listen = "tcp", net.JoinHostPort("localhost", left[0])
	case len(left) == 2 && validPort(left[1], 0):
		host := left[0]
		if host == "" || host == "*" {
			host = "0.0.0.0"
		}
		f.listenNet, f.listen = "tcp", net.JoinHostPort(host, left[1])
	default:
		return forward{}, bad
	}
	return f, nil
}

func parseForwards(flag string, texts []string) (all []forward, err error) {
	for _, text := range texts {
		f, err := parseForward(flag, text)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// splitColons splits at colons that are not in brackets, which it takes off.
func splitColons(s string) (parts []string, ok bool) {
	for {
		var part string
		if rest, in := strings.CutPrefix(s, "["); in {
			var closed bool
			if part, s, closed = strings.Cut(rest, "]"); !closed || s != "" && s[0] != ':' {
				return nil, false
			}
			if s == "" {
				return append(parts, part), true
			}
			s = s[1:]
			parts = append(parts, part)
			continue
		}
		part, rest, more := strings.Cut(s, ":")
		parts = append(parts, part)
		if !more {
			return parts, true
		}
		s = rest
	}
}

func validPort(s string, least int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= 65535
}

// side is one end of a connection, where ports and sockets are.
type side struct {
	listen func(network, address string) (net.Listener, error)
	dial   func(network, address string) (net.Conn, error)
}

// forwards begins all that was asked for; what it returns ends it.
func (a *app) forwards(remote *ssh.Client, local, far []forward) (end func(), err error) {
	here, there := side{listenHere, net.Dial}, side{remote.Listen, remote.Dial}
	var listeners []net.Listener
	end = func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}
	begin := func(f forward, from, to side, where string) error {
		l, err := from.listen(f.listenNet, f.listen)
		if err != nil {
			return berth.Errorf(berth.Unavailable, "cannot listen %s for %s: %v", where, f.text, err)
		}
		listeners = append(listeners, l)
		if strings.HasSuffix(f.listen, ":0") {
			a.tell("listening %s at %s", where, l.Addr())
		}
		go a.pass(l, f, to)
		return nil
	}
	for _, f := range local {
		if err := begin(f, here, there, "here"); err != nil {
			end()
			return nil, err
		}
	}
	for _, f := range far {
		if err := begin(f, there, here, "there"); err != nil {
			end()
			return nil, err
		}
	}
	return end, nil
}

// listenHere listens on this machine. A socket is for this user alone.
func listenHere(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err == nil && network == "unix" {
		if err = os.Chmod(address, 0o600); err != nil {
			_ = l.Close()
		}
	}
	return l, err
}

// pass joins the connections of l with what f leads to.
func (a *app) pass(l net.Listener, f forward, to side) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			far, err := to.dial(f.dialNet, f.dial)
			if err != nil {
				a.tell("%s: %s\r", f.text, clean(err.Error())) // the terminal may be raw
				_ = near.Close()
				return
			}
			joinConns(near, far)
		}()
	}
}

// joinConns copies both ways until both directions have ended.
func joinConns(a, b net.Conn) {
	var both sync.WaitGroup
	copyTo := func(dst, src net.Conn) {
		_, err := io.Copy(dst, src)
		if half, ok := dst.(interface{ CloseWrite() error }); ok && err == nil {
			_ = half.CloseWrite()
			return
		}
		_ = dst.Close()
		_ = src.Close()
	}
	both.Go(func() { copyTo(a, b) })
	both.Go(func() { copyTo(b, a) })
	both.Wait()
	_ = a.Close()
	_ = b.Close()
}
