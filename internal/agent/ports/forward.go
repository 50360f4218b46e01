package ports

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

const (
	// reachTime bounds the connecting to an address in or behind the workspace.
	reachTime = 10 * time.Second
	// udpIdle ends a flow of datagrams that nobody uses.
	udpIdle = time.Minute
)

// ForwardTCP joins a stream with a TCP connection to the address that its kind
// names: HOST:PORT or PORT. Directions end separately. An error says that the
// address could not be reached, which the other side is told.
func ForwardTCP(ctx context.Context, s *tunnel.Stream, address string) error {
	conn, err := reach(ctx, "tcp", address)
	if err != nil {
		s.Reset(resetReason(err))
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	tcp := conn.(*net.TCPConn)
	back := make(chan struct{})
	go func() {
		defer close(back)
		if _, err := s.ReadFrom(tcp); err != nil {
			s.Reset("the connection in the workspace broke")
			return
		}
		s.CloseWrite()
	}()
	if _, err := s.WriteTo(tcp); err != nil {
		tcp.SetLinger(0) // the program is told that it was no end
		tcp.Close()
	} else {
		tcp.CloseWrite()
	}
	<-back
	return nil
}

// ForwardUDP carries the datagrams of one flow, each behind its length. The
// flow ends when the stream does or when nothing moved for a minute. An error
// says that the address could not be reached, which the other side is told.
func ForwardUDP(ctx context.Context, s *tunnel.Stream, address string) error {
	conn, err := reach(ctx, "udp", address)
	if err != nil {
		s.Reset(resetReason(err))
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var used atomic.Int64
	touch := func() { used.Store(time.Now().UnixNano()) }
	touch()
	done := make(chan struct{})
	defer close(done)
	go func() { // ends both directions
		defer s.Close()
		defer conn.Close()
		for idle := time.Duration(0); idle < udpIdle; idle = time.Since(time.Unix(0, used.Load())) {
			select {
			case <-time.After(max(udpIdle-idle, time.Second)):
			case <-done:
				return
			}
		}
	}()
	go func() {
		buf := make([]byte, tunnel.MaxDatagram)
		for {
			n, err := conn.Read(buf)
			if errors.Is(err, syscall.ECONNREFUSED) {
				continue // nobody listens yet: as over a network, datagrams are lost
			}
			if err != nil || tunnel.WriteDatagram(s, buf[:n]) != nil {
				return
			}
			touch()
		}
	}()
	buf := make([]byte, tunnel.MaxDatagram)
	for {
		p, err := tunnel.ReadDatagram(s, buf)
		if err != nil {
			return nil
		}
		touch()
		_, _ = conn.Write(p) // what cannot be sent is lost
	}
}

// reach connects to HOST:PORT or PORT. localhost is this computer's loopback
// also where no file says so.
func reach(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	var d net.Dialer
	if host != "localhost" {
		return d.DialContext(ctx, network, net.JoinHostPort(host, port))
	}
	conn, err := d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err == nil || network == "udp" {
		return conn, err
	}
	if six, err := d.DialContext(ctx, network, net.JoinHostPort("::1", port)); err == nil {
		return six, nil
	}
	return nil, err
}

var errAddress = errors.New("not an address")

func splitAddress(address string) (host, port string, err error) {
	host, port = "localhost", address
	if strings.Contains(address, ":") {
		if host, port, err = net.SplitHostPort(address); err != nil {
			return "", "", errAddress
		}
	}
	if n, err := strconv.Atoi(port); err != nil || berth.ValidatePort("port", n) != nil {
		return "", "", errAddress
	}
	if host == "" {
		host = "localhost"
	}
	return strings.ToLower(host), port, nil
}

// resetReason is what the other side is told.
func resetReason(err error) string {
	switch {
	case errors.Is(err, errAddress):
		return berth.ResetAddress
	case errors.Is(err, syscall.ECONNREFUSED):
		return berth.ResetRefused
	}
	return berth.ResetUnreachable
}
