// Package harness runs the built binaries for tests and measurements, as a
// person would: a server as a process of its own, and the command line against
// it. It reaches into nothing; what it knows it reads from outside.
//
// The binaries come from bin/ of the repository (`make build`) or from
// BERTH_BIN. What it starts it stops, by process id.
package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Root is the repository's directory.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Bin is the path of a built binary. Without it the test is skipped, aloud.
func Bin(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("BERTH_BIN")
	if dir == "" {
		dir = filepath.Join(Root(), "bin")
	}
	bin := filepath.Join(dir, name)
	if _, err := os.Stat(bin); err != nil {
		t.Skipf("SKIPPED: %s is not built; run `make build`", bin)
	}
	return bin
}

// Need skips the test, aloud, where a program is not on the machine.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("SKIPPED: %s is not on this machine", p)
		}
	}
}

// Dir makes a directory that every user may pass through, as a server that
// runs as root needs for its build user; testing's own are closed.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("BERTH_KEEP") != "" {
			t.Logf("kept %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// Server is one running `berth server` and a signed-in command line.
type Server struct {
	URL    string
	Data   string
	Config string // directory of the command line's configuration
	Addr   string
	// AppsAddr is where apps are served: http://*.apps.localhost:PORT and
	// http://localhost:PORT for browsers.
	AppsAddr string

	t    testing.TB
	bin  string
	args []string
	env  []string

	mu  sync.Mutex
	cmd *exec.Cmd
	end chan struct{}
}

// Options are what a test wants otherwise than usual.
type Options struct {
	Host     string   // address to listen on; empty: 127.0.0.1
	Access   string   // host of the access URL, where it is another; apps are on loopback then
	Args     []string // for `berth server`
	Env      []string // added to the server's environment
	NoSignIn bool     // leave the first user to the test
}

// Start runs a server on fresh data, makes the first user `admin` and signs in.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	dir := Dir(t)
	s := &Server{t: t, bin: Bin(t, "berth"), Data: filepath.Join(dir, "data"), Config: filepath.Join(dir, "cli"), env: o.Env}
	if err := os.Mkdir(s.Data, 0o711); err != nil {
		t.Fatal(err)
	}
	s.Addr = net.JoinHostPort(o.Host, fmt.Sprint(FreePort(t, o.Host)))
	s.URL = "http://" + s.Addr
	apps := o.Host
	if o.Access != "" {
		_, port, _ := net.SplitHostPort(s.Addr)
		s.URL, apps = "http://"+net.JoinHostPort(o.Access, port), "127.0.0.1"
	}
	s.AppsAddr = net.JoinHostPort(apps, fmt.Sprint(FreePort(t, apps)))
	s.args = append([]string{"server", "--data", s.Data, "--listen", s.Addr, "--access-url", s.URL, "--apps-listen", s.AppsAddr}, o.Args...)
	t.Cleanup(s.cleanUp)
	s.Run()
	if !o.NoSignIn {
		s.Berth("login", s.URL, "--first-user-username", "admin", "--first-user-email", "admin@example.com", "--first-user-password", Password)
	}
	return s
}

// Password is the first user's.
const Password = "correct horse battery"

// Run starts the server (again) and waits until it is healthy.
func (s *Server) Run() {
	s.t.Helper()
	if err := s.Launch(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Healthy(30 * time.Second); err != nil {
		s.t.Fatalf("%v; its log ends:\n%s", err, s.Log(30))
	}
}

// Launch starts the server's process and returns at once.
func (s *Server) Launch() error {
	log, err := os.OpenFile(s.Data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.bin, s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan struct{})
	go func() { cmd.Wait(); close(end) }()
	s.mu.Lock()
	s.cmd, s.end = cmd, end
	s.mu.Unlock()
	return nil
}

// Healthy waits until /healthz answers 200.
func (s *Server) Healthy(within time.Duration) error {
	c := http.Client{Timeout: time.Second}
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		r, err := c.Get(s.URL + "/healthz")
		if err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.end:
			return errors.New("the server ended")
		default:
		}
	}
	return fmt.Errorf("the server was not healthy within %v", within)
}

// Signal sends sig to the server's process and waits for its end.
func (s *Server) Signal(sig syscall.Signal) {
	s.mu.Lock()
	cmd, end := s.cmd, s.end
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	cmd.Process.Signal(sig)
	select {
	case <-end:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		<-end
		s.t.Errorf("the server did not end within 20 s of %v; its log ends:\n%s", sig, s.Log(30))
	}
}

// PID is the server's process id.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}

// Log is the end of the server's log.
func (s *Server) Log(lines int) string {
	b, _ := os.ReadFile(s.Data + ".log")
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

// cleanUp deletes what a failing test left behind, then stops the server and
// every process that it or its keepers started.
func (s *Server) cleanUp() {
	if s.cmd == nil {
		return
	}
	if s.t.Failed() {
		s.t.Logf("the server's log ends:\n%s", s.Log(40))
	}
	var left []struct{ Owner, Name string }
	if out, _, code := s.Try("list", "--all", "--json"); code == 0 {
		json.Unmarshal([]byte(out), &left)
		for _, w := range left {
			s.Try("cancel", w.Owner+"/"+w.Name)
			s.Try("delete", "-y", w.Owner+"/"+w.Name)
		}
	}
	s.Signal(syscall.SIGTERM)
	KillUnder(s.Data)
}

// KillUnder ends every process whose environment or working directory names
// dir: keepers, Terraform and process workspaces of a server with data there.
func KillUnder(dir string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		env, _ := os.ReadFile(p + "/environ")
		cmdline, _ := os.ReadFile(p + "/cmdline")
		cwd, _ := os.Readlink(p + "/cwd")
		if bytes.Contains(env, []byte(dir)) || bytes.Contains(cmdline, []byte(dir)) || strings.HasPrefix(cwd, dir) {
			var pid int
			fmt.Sscan(filepath.Base(p), &pid)
			if pid != os.Getpid() {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}
