//go:build bench

package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// TestSSH: bulk copy, round trips, first byte and sessions per second through
// `berth ssh`, whose sessions resume, against OpenSSH to an sshd on loopback,
// alternating.
func TestSSH(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", filepath.Join(harness.Root(), "templates", "process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ours := s.OpenSSH()
	ref := sshd(t)

	const size = 256 << 20
	down := fmt.Sprintf("head -c %d /dev/zero", size)
	rate := func(cmd *exec.Cmd, stdin io.Reader) float64 {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, io.Discard, os.Stderr
		return size / 1e6 / seconds(func() {
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	var d, dr, u, ur, f, fr, b []float64
	for range 5 {
		d, dr = append(d, rate(ours.Command("hello.berth", down), nil)), append(dr, rate(ref(down), nil))
		u = append(u, rate(ours.Command("hello.berth", "cat >/dev/null"), io.LimitReader(zeros{}, size)))
		ur = append(ur, rate(ref("cat >/dev/null"), io.LimitReader(zeros{}, size)))
	}
	for range 15 {
		f = append(f, 1000*seconds(func() { ours.Command("hello.berth", "true").Run() }))
		fr = append(fr, 1000*seconds(func() { ref("true").Run() }))
		b = append(b, 1000*seconds(func() { s.Berth("ssh", "hello", "--", "true") }))
	}
	row("ssh bulk from the workspace (higher is better)", d, dr, "MB/s")
	row("ssh bulk to the workspace (higher is better)", u, ur, "MB/s")
	row("ssh first byte, OpenSSH with our ProxyCommand", f, fr, "ms")
	row("ssh first byte, berth ssh", b, fr, "ms")

	direct := func(args ...string) *exec.Cmd {
		cmd := exec.Command(harness.Bin(t, "berth"), append([]string{"ssh", "hello", "--"}, args...)...)
		cmd.Env = s.Environ()
		return cmd
	}
	var r, rb, rr, p, pb, pr []float64
	for range 5 {
		r, rr = append(r, roundTrip(t, ours.Command("hello.berth", "cat"))), append(rr, roundTrip(t, ref("cat")))
		rb = append(rb, roundTrip(t, direct("cat")))
		p = append(p, perSecond(t, func() *exec.Cmd { return ours.Command("hello.berth", "true") }))
		pr = append(pr, perSecond(t, func() *exec.Cmd { return ref("true") }))
		pb = append(pb, perSecond(t, func() *exec.Cmd { return direct("true") }))
	}
	row("ssh round trip, OpenSSH with our ProxyCommand", r, rr, "µs")
	row("ssh round trip, berth ssh", rb, rr, "µs")
	row("ssh sessions, OpenSSH with our ProxyCommand (higher is better)", p, pr, "/s")
	row("ssh sessions, berth ssh (higher is better)", pb, pr, "/s")
}

// roundTrip is how long, in µs, the middle one of many keystrokes takes to come
// back from a command that echoes.
func roundTrip(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var took []float64
	key := []byte("k")
	for range 500 {
		took = append(took, 1e6*seconds(func() {
			in.Write(key)
			io.ReadFull(out, key)
		}))
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// perSecond is how many sessions, four at a time, begin and end in a second.
func perSecond(t *testing.T, session func() *exec.Cmd) float64 {
	t.Helper()
	const workers, each = 4, 10
	return workers * each / seconds(func() {
		var wait sync.WaitGroup
		for range workers {
			wait.Go(func() {
				for range each {
					if out, err := session().CombinedOutput(); err != nil {
						t.Errorf("%v %s", err, out)
					}
				}
			})
		}
		wait.Wait()
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// sshd starts OpenSSH's server on loopback with keys of its own.
func sshd(t *testing.T) func(command string) *exec.Cmd {
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		t.Skip("SKIPPED: sshd is not on this machine")
	}
	dir := t.TempDir()
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	os.Rename(filepath.Join(dir, "user.pub"), filepath.Join(dir, "authorized"))
	port := harness.FreePort(t, "127.0.0.1")
	os.MkdirAll("/run/sshd", 0o755)
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", fmt.Sprint(port),
		"-o", "ListenAddress=127.0.0.1", "-o", "HostKey="+filepath.Join(dir, "host"), "-o", "AuthorizedKeysFile="+filepath.Join(dir, "authorized"),
		"-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes", "-o", "PidFile=none", "-o", "UseDNS=no")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	client := func(command string) *exec.Cmd {
		return exec.Command("ssh", "-F", "/dev/null", "-p", fmt.Sprint(port), "-i", filepath.Join(dir, "user"), "-o", "IdentitiesOnly=yes",
			"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "127.0.0.1", command)
	}
	harness.Eventually(t, 10*time.Second, func() string {
		if out, err := client("true").CombinedOutput(); err != nil {
			return string(out) + err.Error()
		}
		return ""
	})
	return client
}
