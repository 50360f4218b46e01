package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/berthdev/berth/test/harness"
)

// network stands between the server and everybody else, agents too, and can be
// cut.
type network struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	away  bool
	conns map[net.Conn]bool
	every int // cut all after this many bytes; 0: never
	moved int
	cuts  int
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{listener: l, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); n.cut() })
	return n
}

func (n *network) url() string { return "http://" + n.listener.Addr().String() }

func (n *network) serve() {
	for {
		c, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		away := n.away
		n.mu.Unlock()
		if away {
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
			continue
		}
		go n.carry(c)
	}
}

func (n *network) carry(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", n.target)
	if err != nil {
		return
	}
	defer s.Close()
	n.mu.Lock()
	n.conns[c], n.conns[s] = true, true
	n.mu.Unlock()
	go n.copy(s, c)
	n.copy(c, s)
}

func (n *network) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		got, err := from.Read(buf)
		if n.passes(got) {
			n.cut()
		}
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:got]); err != nil {
			return
		}
	}
}

// passes counts bytes, and tells when it is time for a cut.
func (n *network) passes(bytes int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moved += bytes
	if n.every == 0 || n.moved < n.every {
		return false
	}
	n.moved = 0
	return true
}

// cut breaks every connection, as a router that restarts does.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts++
	for c := range n.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	clear(n.conns)
}

// set says after how many bytes all is cut, and whether the network is away.
func (n *network) set(every int, away bool) {
	n.mu.Lock()
	n.every, n.away, n.moved = every, away, 0
	n.mu.Unlock()
	if away {
		n.cut()
	}
}

func (n *network) cutCount() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cuts
}

// tripwire reads random bytes and calls trip behind the first half.
type tripwire struct {
	data []byte
	at   int
	half int
	trip func()
}

func (w *tripwire) Read(p []byte) (int, error) {
	if w.at >= w.half && w.trip != nil {
		w.trip()
		w.trip = nil
	}
	if w.at == len(w.data) {
		return 0, io.EOF
	}
	p = p[:min(len(p), 64<<10)]
	n := copy(p, w.data[w.at:])
	w.at += n
	return n, nil
}

// Sessions through OpenSSH and without it, over a network that breaks and a
// server that dies.
func TestSessionsResume(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	n := newNetwork(t)
	s := harness.Start(t, harness.Options{Args: []string{"--access-url", n.url()}})
	n.target = s.Addr
	go n.serve()
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	far := append(s.Environ(), "BERTH_URL="+n.url(), "BERTH_TOKEN="+strings.TrimSpace(s.Berth("tokens", "create", "far")))
	open := func(args ...string) *exec.Cmd {
		cmd := ssh.Command(append([]string{"-o", "ServerAliveInterval=5"}, args...)...)
		cmd.Env = far
		return cmd
	}
	data := make([]byte, 64<<20)
	rand.Read(data)
	sum := fmt.Sprintf("%x", sha256.Sum256(data))

	// Not in parallel: they share the network.
	t.Run("cut again and again", func(t *testing.T) {
		before := n.cutCount()
		n.set(36_000_003, false)
		defer n.set(0, false)
		cmd := open("hello.berth", "cat")
		var errs bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(data), &errs
		out, err := cmd.Output()
		if got := fmt.Sprintf("%x", sha256.Sum256(out)); err != nil || got != sum {
			t.Errorf("%d of %d bytes came back: %v\n%s", len(out), len(data), err, errs.String())
		}
		if cuts := n.cutCount() - before; cuts < 4 {
			t.Errorf("only %d cuts", cuts)
		}
	})
	t.Run("the server dies", func(t *testing.T) {
		cmd := open("hello.berth", "sha256sum; exit 7")
		cmd.Stdin = &tripwire{data: data, half: len(data) / 2, trip: func() {
			s.Signal(syscall.SIGKILL)
			s.Run()
		}}
		out, err := cmd.Output()
		if exitCode(err) != 7 || !strings.HasPrefix(string(out), sum) {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("the server restarts, berth ssh", func(t *testing.T) {
		cmd := exec.Command(harness.Bin(t, "berth"), "ssh", "hello", "--", "sha256sum; exit 7")
		cmd.Env = far
		cmd.Stdin = &tripwire{data: data, half: len(data) / 2, trip: func() {
			s.Signal(syscall.SIGTERM)
			s.Run()
		}}
		out, err := cmd.Output()
		if exitCode(err) != 7 || !strings.HasPrefix(string(out), sum) {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("a shell keeps its state", func(t *testing.T) {
		cmd := exec.Command(harness.Bin(t, "berth"), "ssh", "hello")
		cmd.Env = far
		f, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out := &lockedBuffer{}
		go io.Copy(out, f)
		says := func(line, want string) {
			t.Helper()
			f.WriteString(line)
			harness.Eventually(t, 40*time.Second, func() string {
				if o := out.String(); !strings.Contains(o, want) {
					return "the terminal shows " + o
				}
				return ""
			})
		}
		says("", "$ ")
		says("x=kept; echo first-$x\n", "first-kept")
		n.cut()
		says("echo second-$x\n", "second-kept")
		n.set(0, true)
		says("echo third-$x\n", "was lost") // typed while the network is away
		n.set(0, false)
		says("", "third-kept")
		says("", "is back")
		s.Signal(syscall.SIGKILL)
		s.Run()
		says("echo fourth-$x\n", "fourth-kept")
		fmt.Fprintln(f, "exit 5")
		if got := exitCode(waitFor(t, cmd, 20*time.Second)); got != 5 {
			t.Errorf("exit %d", got)
		}
	})
	t.Run("away for too long", func(t *testing.T) {
		var out, errs lockedBuffer
		cmd := exec.Command(harness.Bin(t, "berth"), "ssh", "hello", "--resume-for", "2s", "--", "echo in; sleep 100")
		cmd.Env, cmd.Stdout, cmd.Stderr = far, &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, 30*time.Second, func() string {
			if !strings.Contains(out.String(), "in") {
				return "not in yet: " + errs.String()
			}
			return ""
		})
		n.set(0, true)
		defer n.set(0, false)
		if got := exitCode(waitFor(t, cmd, 60*time.Second)); got != 255 || !strings.Contains(errs.String(), "connection lost and not back within 2s") {
			t.Errorf("exit %d: %s", got, errs.String())
		}
	})
	t.Run("the workspace stops", func(t *testing.T) {
		var out, errs lockedBuffer
		cmd := open("hello.berth", "echo in; sleep 100")
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, 30*time.Second, func() string {
			if !strings.Contains(out.String(), "in") {
				return "not in yet: " + errs.String()
			}
			return ""
		})
		s.Berth("stop", "hello", "-y")
		if got := exitCode(waitFor(t, cmd, 15*time.Second)); got == 0 || got == -1 {
			t.Errorf("exit %d: %s", got, errs.String())
		}
	})
}
