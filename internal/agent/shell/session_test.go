package shell

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

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

func TestCommands(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	tests := []struct {
		name, command string
		args          []string
		out, errOut   string
		status        int
	}{
		{name: "output", command: "echo hello", out: "hello\n"},
		{name: "standard error", command: "echo oops >&2", errOut: "oops\n"},
		{name: "exit status", command: "exit 7", status: 7},
		{name: "last status", command: "false", status: 1},
		{name: "not found", command: "/does/not/exist 2>/dev/null", status: 127},
		{name: "killed", command: "kill -TERM $$", status: 255},
		{name: "start directory", command: "pwd", out: p.home + "\n"},
		{name: "environment of the agent", command: "echo $FROM_AGENT", out: "yes\n"},
		{name: "home and shell", command: "echo $HOME $SHELL", out: p.home + " /bin/bash\n"},
		{name: "environment of the client", args: []string{"-o", "SetEnv LANG=xx_XX FOO=bar"}, command: "echo $LANG $FOO", out: "xx_XX bar\n"},
		{name: "type of session is not passed on", args: []string{"-o", "SetEnv CODER_SSH_SESSION_TYPE=vscode"}, command: "echo [$CODER_SSH_SESSION_TYPE]", out: "[]\n"},
		{name: "address of the client", command: "set -- $SSH_CLIENT; echo $#; set -- $SSH_CONNECTION; echo $#", out: "3\n4\n"},
		{name: "no terminal", command: "tty; echo [$SSH_TTY]", out: "not a tty\n[]\n"},
		{name: "output closed early", command: "echo a; exec >&- 2>&-; sleep 0.3; exit 5", out: "a\n", status: 5},
		{name: "pipes block", command: "head -c 300000 /dev/zero | wc -c", out: "300000\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := *p
			p.t = t
			cmd := p.ssh(append(tt.args, "ws", tt.command)...)
			var out, errOut bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errOut
			if got := exitCode(cmd.Run()); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			if out.String() != tt.out || errOut.String() != tt.errOut {
				t.Errorf("printed %q and %q, want %q and %q", out.String(), errOut.String(), tt.out, tt.errOut)
			}
		})
	}
}

func TestLoginShell(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	os.WriteFile(filepath.Join(p.home, ".bash_profile"), []byte("echo profile\n"), 0o600)
	cmd := p.ssh("-T", "ws")
	cmd.Stdin = strings.NewReader("shopt -q login_shell && echo login\nexit 3\n")
	out, err := cmd.Output()
	if string(out) != "profile\nlogin\n" || exitCode(err) != 3 {
		t.Errorf("%q, %v", out, err)
	}
}

func TestShellDoesNotStart(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	os.WriteFile(broken, []byte("#!/does/not/exist\n"), 0o755)
	p := newPlace(t, func(o *Options) {
		o.Env = func() []string { return []string{"SHELL=" + broken, "HOME=/"} }
	})
	for _, args := range [][]string{{"ws", "true"}, {"-tt", "ws"}} {
		var errOut, out bytes.Buffer
		cmd := p.ssh(args...)
		cmd.Stderr, cmd.Stdout = &errOut, &out
		if got := exitCode(cmd.Run()); got != 229 || !strings.Contains(errOut.String()+out.String(), "cannot start "+broken) {
			t.Errorf("%v: status %d, %q %q", args, got, errOut.String(), out.String())
		}
	}
}

func TestMissingDirectoryIsHome(t *testing.T) {
	t.Parallel()
	p := newPlace(t, func(o *Options) { o.Dir = func() string { return "/does/not/exist" } })
	if got := p.out(p.ssh("ws", "pwd")); got != p.home+"\n" {
		t.Errorf("%q", got)
	}
	dir := t.TempDir()
	p = newPlace(t, func(o *Options) { o.Dir = func() string { return dir } })
	if got := p.out(p.ssh("ws", "pwd")); got != dir+"\n" {
		t.Errorf("%q", got)
	}
}

// noise makes bytes that no part of the way can guess.
func noise(size int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{7}), size) }

func TestMegabytesBothWays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const size = 64 << 20
	want := sha256.New()
	io.Copy(want, noise(size))
	sum := fmt.Sprintf("%x", want.Sum(nil))

	t.Run("through cat", func(t *testing.T) {
		cmd := p.ssh("ws", "cat")
		cmd.Stdin = noise(size)
		got := sha256.New()
		cmd.Stdout = got
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%x", got.Sum(nil)) != sum {
			t.Error("bytes changed on the way")
		}
	})
	t.Run("half closed", func(t *testing.T) {
		cmd := p.ssh("ws", "sha256sum; echo also >&2; exit 4")
		cmd.Stdin = noise(size)
		out, err := cmd.Output()
		if exitCode(err) != 4 || !strings.HasPrefix(string(out), sum) {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("on one connection", func(t *testing.T) {
		control := filepath.Join(p.dir, "c")
		master := p.ssh("-M", "-S", control, "-N", "ws")
		if err := master.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { p.ssh("-S", control, "-O", "exit", "ws").Run(); master.Wait() }()
		eventually(t, "control socket", func() bool { _, err := os.Stat(control); return err == nil })
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				const part = 2 << 20
				cmd := p.ssh("-S", control, "ws", "cat")
				cmd.Stdin = noise(part)
				got, want := sha256.New(), sha256.New()
				io.Copy(want, noise(part))
				cmd.Stdout = got
				if err := cmd.Run(); err != nil || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
					t.Errorf("a session of many: %v", err)
				}
			})
		}
		all.Wait()
	})
}

func TestCommandThatReadsLittle(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, command := range []string{"head -c 10", "head -c 10; exec <&-; sleep 0.2"} {
		cmd := p.ssh("ws", command)
		cmd.Stdin = noise(32 << 20)
		if got := p.out(cmd); len(got) != 10 {
			t.Errorf("%s: %d bytes", command, len(got))
		}
	}
}

// Safety: what a command wrote before it exited reaches a client that reads
// slowly, even when the grace for leftovers is long over.
func TestSlowClientLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.server.leftovers = 50 * time.Millisecond
	// The background process keeps the pipe open, so that only the grace ends it.
	cmd := p.ssh("ws", "sleep 30 2>/dev/null & head -c 3500000 /dev/zero")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if n, _ := io.Copy(io.Discard, out); n != 3500000 {
		t.Errorf("%d bytes arrived", n)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLeftoversDoNotHang(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.server.leftovers = 300 * time.Millisecond
	for _, command := range []string{"sleep 60 & echo ok", "(while sleep 0.05; do echo; done) & echo ok"} {
		begin := time.Now()
		if got := p.out(p.ssh("ws", command)); !strings.HasPrefix(got, "ok\n") && !strings.HasPrefix(got, "\nok") {
			t.Errorf("%q", got)
		}
		if took := time.Since(begin); took > 8*time.Second {
			t.Errorf("took %v", took)
		}
	}
	begin := time.Now()
	p.out(p.ssh("-tt", "ws", "trap '' HUP; sleep 60 & echo ok"))
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("on a terminal: took %v", took)
	}
}

func TestManyConnections(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			cmd := p.ssh("ws", fmt.Sprintf("cat; exit %d", i))
			cmd.Stdin = strings.NewReader("x")
			if out, err := cmd.Output(); string(out) != "x" || exitCode(err) != i {
				t.Errorf("session %d: %q, %v", i, out, err)
			}
		})
	}
	all.Wait()
}

func TestClientGoes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, args := range [][]string{{"-tt", "ws", "echo $$ > pid; sleep 60"}, {"ws", "echo $$ > pid; exec yes"}} {
		pidFile := filepath.Join(p.home, "pid")
		os.Remove(pidFile)
		cmd := p.ssh(args...)
		cmd.Stdin = neverEnds(t)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var pid int
		eventually(t, "start", func() bool {
			text, _ := os.ReadFile(pidFile)
			fmt.Sscan(string(text), &pid)
			return pid > 0
		})
		cmd.Process.Kill()
		cmd.Wait()
		eventually(t, fmt.Sprint("end of ", args), func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// neverEnds is a standard input that is open and silent.
func neverEnds(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r
}
