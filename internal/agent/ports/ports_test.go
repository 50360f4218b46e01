package ports

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/tunnel"
)

func TestReadListeners(t *testing.T) {
	t.Parallel()
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 112 1 0000000000000000 100 0 0 10 0
   2: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 113 1 0 100 0 0 10 0
   3: 00000000000000000000000001000000:0BB9 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 114 1 0 100 0 0 10 0
   4: nonsense 0A
   5: zz:zz 00000000:0000 0A 0 0 0 0 0 0 5
`
	var got []string
	for _, l := range readListeners(strings.NewReader(table)) {
		got = append(got, net.JoinHostPort(l.address.String(), itoa(l.port))+" "+l.inode)
	}
	if want := []string{"127.0.0.1:8080 111", "[::]:3000 113", "[::1]:3001 114"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func FuzzReadListeners(f *testing.F) {
	f.Add([]byte("0: 0100007F:1F90 0:0 0A 0:0 0:0 0 0 0 111"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range readListeners(bytes.NewReader(data)) {
			if !l.address.IsValid() || l.port > 65535 {
				t.Errorf("%+v", l)
			}
		}
	})
}

func TestListeningFindsAPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	find := func(self int) (berth.Port, bool) {
		for _, p := range listening("/proc", self) {
			if p.Port == port {
				return p, true
			}
		}
		return berth.Port{}, false
	}
	self := filepath.Base(os.Args[0])
	self = self[:min(12, len(self))] // the kernel keeps so much at least
	if p, ok := find(0); !ok || p.Address != "127.0.0.1" || !strings.HasPrefix(p.Process, self) {
		t.Errorf("the port %d is %+v, %v", port, p, ok)
	}
	if _, ok := find(os.Getpid()); ok {
		t.Error("the agent's own port is listed")
	}
}

// streams gives both ends of one stream.
func streams(t *testing.T) (near, far *tunnel.Stream) {
	t.Helper()
	a, b := net.Pipe()
	near, far = tunnel.New(a), tunnel.New(b)
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func TestForwardTCP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				all, _ := io.ReadAll(c) // until the other side has no more to say
				c.Write(bytes.ToUpper(all))
				c.Close()
			}()
		}
	}()
	port := itoa(l.Addr().(*net.TCPAddr).Port)
	for _, address := range []string{port, "localhost:" + port, "127.0.0.1:" + port, "LOCALHOST:" + port} {
		near, far := streams(t)
		go func() { ForwardTCP(t.Context(), far, address); far.Close() }()
		io.WriteString(near, "hello")
		near.CloseWrite()
		if got, err := io.ReadAll(near); err != nil || string(got) != "HELLO" {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	nobody := itoa(closed.Addr().(*net.TCPAddr).Port)
	closed.Close()
	for address, want := range map[string]string{
		nobody: berth.ResetRefused, "0": berth.ResetAddress, "70000": berth.ResetAddress, "": berth.ResetAddress, "a:b:c": berth.ResetAddress,
		"host.invalid:80": berth.ResetUnreachable,
	} {
		near, far := streams(t)
		go func() { ForwardTCP(t.Context(), far, address); far.Close() }()
		if _, err := io.ReadAll(near); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

func TestForwardUDP(t *testing.T) {
	t.Parallel()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		buf := make([]byte, tunnel.MaxDatagram)
		for {
			n, from, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			l.WriteTo(bytes.ToUpper(buf[:n]), from)
		}
	}()
	near, far := streams(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ForwardUDP(t.Context(), far, l.LocalAddr().String())
		far.Close()
	}()
	buf := make([]byte, tunnel.MaxDatagram)
	for _, text := range []string{"one", "", strings.Repeat("x", 9000)} {
		if err := tunnel.WriteDatagram(near, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := tunnel.ReadDatagram(near, buf); err != nil || string(got) != strings.ToUpper(text) {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	}
	near.Close()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the flow did not end with its stream")
	}
}
