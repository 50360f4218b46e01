package shell

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// echo answers every connection with what it gets, after its end, with a mark.
func echo(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				got, _ := io.ReadAll(conn) // needs the client's half-close
				conn.Write(append(got, "!"...))
			}()
		}
	}()
	return l
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// exchange sends size bytes of noise, ends its direction, and checks the echo.
func exchange(t *testing.T, network, address string, size int64) {
	t.Helper()
	var conn net.Conn
	eventually(t, "listening at "+address, func() (ok bool) {
		var err error
		conn, err = net.Dial(network, address)
		return err == nil
	})
	defer conn.Close()
	want, _ := io.ReadAll(noise(size))
	go func() {
		conn.Write(want)
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, append(want, '!')) {
		t.Errorf("%s: %d bytes came back, %v", address, len(got), err)
	}
}

// keep runs ssh in the background until the test ends and gives what it says.
func (p *place) keep(args ...string) *output {
	p.t.Helper()
	cmd := p.ssh(append(args, "ws")...)
	said := &output{}
	cmd.Stderr, cmd.Stdout = said, said
	cmd.Stdin = neverEnds(p.t)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return said
}

func TestLocalForward(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	tcp := echo(t, "tcp", "127.0.0.1:0")
	socket := filepath.Join(p.dir, "echo")
	echo(t, "unix", socket)
	a, b, dead := freePort(t), freePort(t), freePort(t)
	p.keep("-N", "-L", fmt.Sprintf("%d:%s", a, tcp.Addr()), "-L", fmt.Sprintf("%d:%s", b, socket), "-L", fmt.Sprintf("%s:localhost:1", filepath.Join(p.dir, "dead")),
		"-L", fmt.Sprintf("%d:127.0.0.1:1", dead))
	exchange(t, "tcp", fmt.Sprintf("127.0.0.1:%d", a), 3<<20)
	exchange(t, "tcp", fmt.Sprintf("127.0.0.1:%d", b), 3<<20)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", dead))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := io.Copy(io.Discard, conn); n != 0 {
		t.Error("bytes from a port where nobody listens")
	}
}

func TestDynamicForward(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") })}
	go server.Serve(web)
	t.Cleanup(func() { server.Close() })
	port := freePort(t)
	p.keep("-N", "-D", fmt.Sprint(port))
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: fmt.Sprintf("127.0.0.1:%d", port)})}}
	eventually(t, "page through the proxy", func() bool {
		r, err := client.Get(fmt.Sprintf("http://%s/", web.Addr()))
		if err != nil {
			return false
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		return string(body) == "page"
	})
	client.CloseIdleConnections()
}

func TestRemoteForward(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	target := echo(t, "tcp", "127.0.0.1:0")
	port := freePort(t)
	control := filepath.Join(p.dir, "c")
	socket := filepath.Join(p.home, "remote.sock")
	// A socket that was left behind gives way.
	if l, err := net.Listen("unix", socket); err == nil {
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		l.Close()
	}
	said := p.keep("-N", "-M", "-S", control, "-o", "LogLevel INFO", "-R", fmt.Sprintf("%d:%s", port, target.Addr()),
		"-R", fmt.Sprintf("0:%s", target.Addr()), "-R", socket+":"+target.Addr().String())
	exchange(t, "tcp", fmt.Sprintf("127.0.0.1:%d", port), 3<<20)
	var chosen string
	eventually(t, "chosen port", func() bool {
		if m := regexp.MustCompile(`Allocated port (\d+)`).FindStringSubmatch(said.String()); m != nil {
			chosen = m[1]
		}
		return chosen != ""
	})
	exchange(t, "tcp", "127.0.0.1:"+chosen, 1000)
	exchange(t, "unix", socket, 1000)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	p.out(p.ssh("-S", control, "-O", "cancel", "-R", fmt.Sprintf("%d:%s", port, target.Addr()), "ws"))
	eventually(t, "end of the forwarding", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	exchange(t, "tcp", "127.0.0.1:"+chosen, 10)
	p.out(p.ssh("-S", control, "-O", "exit", "ws"))
	eventually(t, "end of the socket", func() bool { _, err := os.Stat(socket); return err != nil })
}

// Sockets on either side, both ways.
func TestSocketForward(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	target := filepath.Join(p.dir, "echo")
	echo(t, "unix", target)
	here, there := filepath.Join(p.dir, "here"), filepath.Join(p.home, "there")
	port := freePort(t)
	p.keep("-N", "-L", here+":"+target, "-R", there+":"+target, "-R", fmt.Sprintf("%d:%s", port, target))
	exchange(t, "unix", here, 1<<20)
	exchange(t, "unix", there, 1<<20)
	exchange(t, "tcp", fmt.Sprintf("127.0.0.1:%d", port), 1<<20)
}

// Other machines reach a port of -R only when the client says so.
func TestRemoteForwardAddresses(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	target := echo(t, "tcp", "127.0.0.1:0")
	quiet, open, also := freePort(t), freePort(t), freePort(t)
	p.keep("-N", "-R", fmt.Sprintf("%d:%s", quiet, target.Addr()), "-R", fmt.Sprintf("*:%d:%s", open, target.Addr()), "-R", fmt.Sprintf("0.0.0.0:%d:%s", also, target.Addr()))
	for port, want := range map[int]string{quiet: "0100007F", open: "00000000", also: "00000000"} {
		exchange(t, "tcp", fmt.Sprintf("127.0.0.1:%d", port), 100)
		table, err := exec.Command("sh", "-c", fmt.Sprintf("grep -h ':%04X 0*:0000 0A' /proc/net/tcp /proc/net/tcp6", port)).Output()
		lines := strings.Split(strings.TrimSpace(string(table)), "\n")
		if err != nil || len(lines) == 0 {
			t.Fatalf("port %d: %v %q", port, err, table)
		}
		for _, line := range lines {
			address, _, _ := strings.Cut(strings.Fields(line)[1], ":")
			loopback := address == "0100007F" || address == "00000000000000000000000001000000"
			if loopback != (want == "0100007F") {
				t.Errorf("port %d listens on %s", port, address)
			}
		}
	}
}

func TestRemoteForwardOfTakenPort(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	taken := echo(t, "tcp", "127.0.0.1:0").Addr().(*net.TCPAddr).Port
	if exitCode(p.ssh("-R", fmt.Sprintf("%d:127.0.0.1:1", taken), "ws", "true").Run()) == 0 {
		t.Error("a port was forwarded that another program has")
	}
}

func TestAuthenticationAgent(t *testing.T) {
	t.Parallel()
	need(t, "ssh-agent", "ssh-add", "ssh-keygen")
	p := newPlace(t)
	socket := filepath.Join(p.dir, "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	eventually(t, "agent", func() bool { _, err := os.Stat(socket); return err == nil })
	key := filepath.Join(p.dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mykey", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	withAgent := append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	add := exec.Command("ssh-add", "-q", key)
	add.Env = withAgent
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	cmd := p.ssh("-A", "ws", "ssh-add -l; echo $SSH_AUTH_SOCK; stat -c %a $(dirname $SSH_AUTH_SOCK)")
	cmd.Env = withAgent
	out := p.out(cmd)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "mykey") || lines[2] != "700" {
		t.Fatalf("%q", out)
	}
	eventually(t, "end of the socket", func() bool { _, err := os.Stat(filepath.Dir(lines[1])); return err != nil })
	cmd = p.ssh("-a", "ws", "echo [$SSH_AUTH_SOCK]")
	cmd.Env = withAgent
	if out := p.out(cmd); out != "[]\n" {
		t.Errorf("without -A: %q", out)
	}
}

// What a client sent before it closed a forwarded connection arrives, though
// the close overtakes it.
func TestForwardDeliversBeforeClose(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan int64, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, bufio.NewReaderSize(conn, 100))
		got <- n
		conn.Close()
	}()
	conn, err := p.client().Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, _ := io.Copy(conn, noise(1<<20))
	conn.Close()
	if arrived := <-got; arrived != n {
		t.Errorf("%d of %d bytes arrived", arrived, n)
	}
}
