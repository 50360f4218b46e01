package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
)

// given are the ports that FreePort gave to tests of this process.
var given sync.Map

// FreePort is a port on host that nobody listens on now. No other test of this
// process gets it, and no connection out of this machine takes it while its
// server is down: it is below those that the kernel gives to connections.
func FreePort(t testing.TB, host string) int {
	t.Helper()
	var err error
	for range 200 {
		port := beforeConnections() - 1 - rand.IntN(12000)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port))); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatalf("no port is free on %s: %v", host, err)
	return 0
}

// beforeConnections is the first port that the kernel gives to connections.
func beforeConnections() int {
	first := 0
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		fmt.Sscan(string(text), &first)
	}
	if first < 14000 {
		return 32768 // a machine of its own mind: as Linux comes
	}
	return first
}
