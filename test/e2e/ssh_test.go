package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/berthdev/berth/test/harness"
)

// OpenSSH as it is, through the whole path: client, ProxyCommand, server,
// relay, agent.
func TestOpenSSH(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "scp", "sftp", "rsync", "git")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	const host = "hello.berth"
	home := strings.TrimSpace(ssh.Run(host, "pwd"))
	dir := harness.Dir(t)

	t.Run("status", func(t *testing.T) {
		t.Parallel()
		for _, want := range []int{0, 1, 7, 255} {
			err := ssh.Command(host, fmt.Sprint("exit ", want)).Run()
			if got := exitCode(err); got != want {
				t.Errorf("exit %d gave %d", want, got)
			}
		}
	})
	t.Run("signal", func(t *testing.T) {
		t.Parallel()
		if got := exitCode(ssh.Command(host, "kill -TERM $$").Run()); got != 255 && got != 143 {
			t.Errorf("a command that a signal ended gave %d", got)
		}
	})
	t.Run("terminal", func(t *testing.T) {
		t.Parallel()
		cmd := ssh.Command("-tt", host, "trap 'stty size; exit 3' WINCH; stty size; tty; while :; do sleep 0.1; done")
		f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 33, Cols: 77})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out := &lockedBuffer{}
		go io.Copy(out, f)
		harness.Eventually(t, 30*time.Second, func() string {
			if o := out.String(); !strings.Contains(o, "33 77") || !strings.Contains(o, "/dev/pts/") {
				return "the terminal shows " + o
			}
			return ""
		})
		pty.Setsize(f, &pty.Winsize{Rows: 44, Cols: 99})
		harness.Eventually(t, 30*time.Second, func() string {
			if o := out.String(); !strings.Contains(o, "44 99") {
				return "after the resize the terminal shows " + o
			}
			return ""
		})
		if got := exitCode(cmd.Wait()); got != 3 {
			t.Errorf("exit %d", got)
		}
	})
	t.Run("interrupt", func(t *testing.T) {
		t.Parallel()
		cmd := ssh.Command("-tt", host, "sleep 100")
		f, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		go io.Copy(io.Discard, f)
		time.Sleep(time.Second)
		f.Write([]byte{3})
		if got := exitCode(waitFor(t, cmd, 10*time.Second)); got == 0 {
			t.Error("Ctrl-C did not end sleep")
		}
	})
	t.Run("environment", func(t *testing.T) {
		t.Parallel()
		cmd := ssh.Command("-o", "SetEnv=LC_BERTH=yes", host, "echo $LC_BERTH $CODER $USER; test -n \"$SSH_CONNECTION\"")
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), "yes true ") {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("megabytes both ways", func(t *testing.T) {
		t.Parallel()
		data := make([]byte, 24<<20)
		rand.Read(data)
		cmd := ssh.Command(host, "cat")
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.Output()
		if err != nil || sha256.Sum256(out) != sha256.Sum256(data) {
			t.Errorf("%d bytes in, %d out, %v", len(data), len(out), err)
		}
	})
	t.Run("half-closed", func(t *testing.T) {
		t.Parallel()
		cmd := ssh.Command(host, "sha256sum; echo after")
		cmd.Stdin = strings.NewReader("abc")
		out, err := cmd.Output()
		if want := fmt.Sprintf("%x  -\nafter\n", sha256.Sum256([]byte("abc"))); err != nil || string(out) != want {
			t.Errorf("%q, %v", out, err)
		}
		cmd = ssh.Command(host, "head -c 5; sleep 0.2; echo after >&2")
		cmd.Stdin = io.LimitReader(zeros{}, 8<<20)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if out, err := cmd.Output(); err != nil || len(out) != 5 || errs.String() != "after\n" {
			t.Errorf("%d bytes, %q, %v", len(out), errs.String(), err)
		}
	})
	t.Run("forward there", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "reached") }))
		defer web.Close()
		port := harness.FreePort(t, "127.0.0.1")
		stop := background(t, ssh.Command("-N", "-o", "ExitOnForwardFailure=yes", "-L", fmt.Sprintf("%d:%s", port, web.Listener.Addr()), host))
		defer stop()
		eventuallyGets(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d", port), "reached")
	})
	t.Run("forward back", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "reached") }))
		defer web.Close()
		port := harness.FreePort(t, "127.0.0.1")
		stop := background(t, ssh.Command("-N", "-o", "ExitOnForwardFailure=yes", "-R", fmt.Sprintf("%d:%s", port, web.Listener.Addr()), host))
		defer stop()
		eventuallyGets(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d", port), "reached")
	})
	t.Run("forward anywhere", func(t *testing.T) {
		t.Parallel()
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "reached") }))
		defer web.Close()
		port := harness.FreePort(t, "127.0.0.1")
		stop := background(t, ssh.Command("-N", "-D", fmt.Sprint(port), host))
		defer stop()
		proxy := &url.URL{Scheme: "socks5", Host: fmt.Sprintf("127.0.0.1:%d", port)}
		eventuallyGets(t, &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}, web.URL, "reached")
	})
	t.Run("agent forwarding", func(t *testing.T) {
		t.Parallel()
		harness.Need(t, "ssh-agent", "ssh-add", "ssh-keygen")
		sock := filepath.Join(dir, "agent.sock")
		agent := exec.Command("ssh-agent", "-D", "-a", sock)
		stop := background(t, agent)
		defer stop()
		key := filepath.Join(dir, "key")
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "forwarded", "-f", key).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		harness.Eventually(t, 30*time.Second, func() string {
			add := exec.Command("ssh-add", "-q", key)
			add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
			if out, err := add.CombinedOutput(); err != nil {
				return string(out) + err.Error()
			}
			return ""
		})
		cmd := ssh.Command("-A", host, "ssh-add -l")
		cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK="+sock)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "forwarded") {
			t.Errorf("%s %v", out, err)
		}
	})
	t.Run("sockets", func(t *testing.T) {
		t.Parallel()
		web, err := net.Listen("unix", filepath.Join(dir, "web"))
		if err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, "web"), 0o777) // the workspace's user is another one
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "reached") })}
		go server.Serve(web)
		defer server.Close()
		here, there := filepath.Join(dir, "here"), home+"/there"
		stop := background(t, ssh.Command("-N", "-o", "ExitOnForwardFailure=yes", "-L", here+":"+filepath.Join(dir, "web"), "-R", there+":"+filepath.Join(dir, "web"), host))
		defer stop()
		for _, socket := range []string{here, there} {
			c := &http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) { return net.Dial("unix", socket) }}}
			eventuallyGets(t, c, "http://socket", "reached")
		}
		if mode := ssh.Run(host, "stat -c %a "+there); mode != "600\n" {
			t.Errorf("the socket there has mode %s", mode)
		}
	})
	t.Run("scp", func(t *testing.T) {
		t.Parallel()
		file := randomFile(t, 3<<20)
		for _, mode := range [][]string{nil, {"-O"}} {
			back := filepath.Join(t.TempDir(), "back")
			run(t, ssh.Program("scp", append(mode, "-q", file, host+":scp-copy")...))
			run(t, ssh.Program("scp", append(mode, "-q", host+":scp-copy", back)...))
			same(t, file, back)
		}
	})
	t.Run("sftp", func(t *testing.T) {
		t.Parallel()
		file, back := randomFile(t, 3<<20), filepath.Join(t.TempDir(), "back")
		cmd := ssh.Program("sftp", "-q", "-b", "-", host)
		cmd.Stdin = strings.NewReader(fmt.Sprintf("pwd\nmkdir sftp-dir\nput %s sftp-dir/copy\nls -l sftp-dir\nget sftp-dir/copy %s\n", file, back))
		if out := run(t, cmd); !strings.Contains(out, home) {
			t.Errorf("sftp does not begin at home: %s", out)
		}
		same(t, file, back)
	})
	t.Run("rsync", func(t *testing.T) {
		t.Parallel()
		from, back := t.TempDir(), t.TempDir()
		for i := range 40 {
			os.WriteFile(filepath.Join(from, fmt.Sprint("f", i)), bytes.Repeat([]byte{byte(i)}, 10_000*i), 0o600+os.FileMode(i%8))
		}
		os.Symlink("f3", filepath.Join(from, "link"))
		e := "ssh -F " + ssh.Config
		rsync := exec.Command("rsync", "-a", "-e", e, from+"/", host+":tree/")
		rsync.Env = s.Environ()
		run(t, rsync)
		rsync = exec.Command("rsync", "-a", "-e", e, host+":tree/", back+"/")
		rsync.Env = s.Environ()
		run(t, rsync)
		run(t, exec.Command("diff", "-r", "--no-dereference", from, back))
	})
	t.Run("git", func(t *testing.T) {
		t.Parallel()
		ssh.Run(host, "git init -q --bare repo.git")
		work := filepath.Join(t.TempDir(), "work")
		git := func(args ...string) {
			t.Helper()
			cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.sshCommand=ssh -F " + ssh.Config}, args...)...)
			cmd.Env = s.Environ()
			run(t, cmd)
		}
		git("clone", "-q", host+":repo.git", work)
		os.WriteFile(filepath.Join(work, "file"), bytes.Repeat([]byte("line\n"), 100_000), 0o644)
		git("-C", work, "add", ".")
		git("-C", work, "commit", "-q", "-m", "one")
		git("-C", work, "push", "-q", "origin", "HEAD:main")
		again := filepath.Join(t.TempDir(), "again")
		git("clone", "-q", "-b", "main", "ssh://"+host+home+"/repo.git", again)
		same(t, filepath.Join(work, "file"), filepath.Join(again, "file"))
	})
	t.Run("many at once", func(t *testing.T) {
		t.Parallel()
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if out, err := ssh.Command(host, fmt.Sprintf("sleep 0.3; echo %d", i)).Output(); err != nil || string(out) != fmt.Sprintln(i) {
					t.Errorf("session %d: %q, %v", i, out, err)
				}
			}()
		}
		wg.Wait()
	})
	t.Run("many over one connection", func(t *testing.T) {
		t.Parallel()
		ctl := filepath.Join(dir, "ctl")
		stop := background(t, ssh.Command("-M", "-S", ctl, "-N", host))
		defer stop()
		harness.Eventually(t, 30*time.Second, func() string {
			if _, err := os.Stat(ctl); err != nil {
				return err.Error()
			}
			return ""
		})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if out, err := ssh.Command("-S", ctl, host, fmt.Sprintf("head -c 1000000 /dev/zero | wc -c; echo %d", i)).Output(); err != nil || string(out) != fmt.Sprintf("1000000\n%d\n", i) {
					t.Errorf("session %d: %q, %v", i, out, err)
				}
			}()
		}
		wg.Wait()
	})
	t.Run("background child", func(t *testing.T) {
		t.Parallel()
		cmd := ssh.Command(host, "sleep 30 & echo started")
		began := time.Now()
		out, err := cmd.Output()
		if err != nil || string(out) != "started\n" || time.Since(began) > 20*time.Second {
			t.Errorf("%q, %v, after %v", out, err, time.Since(began))
		}
	})
	t.Run("berth ssh", func(t *testing.T) {
		t.Parallel()
		if out, errs, code := s.Try("ssh", "hello", "--", "echo", "direct;", "exit", "9"); code != 9 || out != "direct\n" {
			t.Errorf("exit %d, %q, %q", code, out, errs)
		}
		out, errs, code := s.Exec(strings.NewReader("from stdin"), "ssh", "admin/hello", "--", "cat")
		if code != 0 || out != "from stdin" {
			t.Errorf("exit %d, %q, %q", code, out, errs)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// lockedBuffer is output that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

func waitFor(t *testing.T, cmd *exec.Cmd, d time.Duration) error {
	t.Helper()
	timer := time.AfterFunc(d, func() { cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait()
}

// background starts cmd and gives what stops it.
func background(t *testing.T, cmd *exec.Cmd) func() {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		// More than once: OpenSSH's client may lose a signal that comes just
		// before it waits.
		ended := make(chan struct{})
		go func() {
			for {
				cmd.Process.Signal(syscall.SIGTERM)
				select {
				case <-ended:
					return
				case <-time.After(time.Second):
				}
			}
		}()
		cmd.Wait()
		close(ended)
	}
}

func eventuallyGets(t *testing.T, c *http.Client, url, want string) {
	t.Helper()
	harness.Eventually(t, 30*time.Second, func() string {
		r, err := c.Get(url)
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) {
				return op.Error()
			}
			return err.Error()
		}
		defer r.Body.Close()
		if b, _ := io.ReadAll(r.Body); string(b) != want {
			return string(b)
		}
		return ""
	})
}

func randomFile(t *testing.T, size int) string {
	t.Helper()
	data := make([]byte, size)
	rand.Read(data)
	name := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s (%d bytes) and %s (%d bytes) differ", a, len(x), b, len(y))
	}
}
