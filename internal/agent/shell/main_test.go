package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is its own ProxyCommand: it joins its standard streams to the
// server's socket.
func TestMain(m *testing.M) {
	if socket := os.Getenv("SHELL_TEST_SOCKET"); socket != "" {
		os.Exit(proxy(socket))
	}
	code := m.Run()
	if code == 0 {
		// Safety: connections that ended leave nothing that runs.
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func proxy(socket string) int {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 1
	}
	go func() {
		io.Copy(conn, os.Stdin)
		conn.(*net.UnixConn).CloseWrite()
	}()
	io.Copy(os.Stdout, conn)
	return 0
}

// place is a server with a home of its own, and a way for clients to it.
type place struct {
	t      *testing.T
	server *Server
	dir    string // of the test: config and socket; sockets need short paths
	home   string
	config string
}

func newPlace(t *testing.T, change ...func(*Options)) *place {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("SKIPPED: there is no OpenSSH client on this machine")
	}
	dir, err := os.MkdirTemp("", "shell")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &place{t: t, dir: dir, home: filepath.Join(dir, "home"), config: filepath.Join(dir, "config")}
	if err := os.Mkdir(p.home, 0o700); err != nil {
		t.Fatal(err)
	}
	options := Options{
		Env: func() []string {
			return []string{"HOME=" + p.home, "SHELL=/bin/bash", "PATH=" + os.Getenv("PATH"), "FROM_AGENT=yes"}
		},
		Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&options)
	}
	if p.server, err = New(options); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.server.Serve(l) }()
	t.Cleanup(func() {
		p.server.Close()
		if err := <-served; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Join([]string{
		"Host ws", "ProxyCommand env SHELL_TEST_SOCKET=" + socket + " " + self,
		"StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR", "User anybody",
		"IdentityFile none", "ExitOnForwardFailure yes", "",
	}, "\n")
	if err := os.WriteFile(p.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// command is a client program with our configuration; it is killed when the
// test takes too long.
func (p *place) command(name string, args ...string) *exec.Cmd {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, append([]string{"-F", p.config}, args...)...)
	cmd.Dir = p.dir
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

func (p *place) ssh(args ...string) *exec.Cmd { return p.command("ssh", args...) }

// out runs cmd and gives what it printed; it must succeed.
func (p *place) out(cmd *exec.Cmd) string {
	p.t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, stderr.String())
	}
	return string(out)
}

// eventually waits for ok, 10 s at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// output is a buffer that can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
