package shell

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkBulk copies a large file out of and into the server with the
// OpenSSH client, and the same with OpenSSH's own server beside it.
func BenchmarkBulk(b *testing.B) {
	const size = 512 << 20
	big := filepath.Join(b.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, size), 0o600); err != nil {
		b.Fatal(err)
	}
	servers := map[string]func(*testing.B) []string{"berth": startOurs, "sshd": startSSHD}
	for _, name := range []string{"berth", "sshd"} {
		args := servers[name](b)
		for _, way := range []struct{ name, command string }{{"out", "cat " + big}, {"in", "cat > /dev/null"}} {
			b.Run(name+"/"+way.name, func(b *testing.B) {
				b.SetBytes(size)
				for b.Loop() {
					cmd := exec.Command("ssh", append(args, way.command)...)
					if way.name == "in" {
						f, err := os.Open(big)
						if err != nil {
							b.Fatal(err)
						}
						defer f.Close()
						cmd.Stdin = f
					}
					if out, err := copyOut(cmd); err != nil || way.name == "out" && out != size {
						b.Fatalf("%d bytes, %v", out, err)
					}
				}
			})
		}
		b.Run(name+"/first", func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command("ssh", append(args, "true")...).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func copyOut(cmd *exec.Cmd) (int64, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	n, _ := io.CopyBuffer(io.Discard, out, make([]byte, 1<<20))
	return n, cmd.Wait()
}

func clientArgs(port int, more ...string) []string {
	args := []string{"-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-p", strconv.Itoa(port)}
	return append(append(args, more...), "127.0.0.1")
}

func startOurs(b *testing.B) []string {
	server, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go server.Serve(l)
	b.Cleanup(server.Close)
	return clientArgs(l.Addr().(*net.TCPAddr).Port)
}

func startSSHD(b *testing.B) []string {
	path := "/usr/sbin/sshd"
	if _, err := os.Stat(path); err != nil {
		b.Skip("SKIPPED: there is no sshd on this machine")
	}
	dir := b.TempDir()
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		b.Skipf("SKIPPED: %v %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	me, err := user.Current()
	if err != nil {
		b.Fatal(err)
	}
	if me.Uid == "0" {
		os.MkdirAll("/run/sshd", 0o755) // sshd wants it to drop its rights in
	}
	config := filepath.Join(dir, "config")
	os.WriteFile(config, []byte(strings.Join([]string{
		fmt.Sprintf("ListenAddress 127.0.0.1:%d", port), "HostKey " + key, "AuthorizedKeysFile " + key + ".pub", "StrictModes no",
		"UsePAM no", "PidFile none", "PermitRootLogin yes", "MaxStartups 100", "",
	}, "\n")), 0o600)
	sshd := exec.Command(path, "-D", "-e", "-f", config)
	if err := sshd.Start(); err != nil {
		b.Skipf("SKIPPED: %v", err)
	}
	b.Cleanup(func() { sshd.Process.Kill(); sshd.Wait() })
	args := clientArgs(port, "-i", key, "-l", me.Username)
	for range 100 {
		if exec.Command("ssh", append(args, "true")...).Run() == nil {
			return args
		}
	}
	b.Skip("SKIPPED: sshd does not let us in")
	return nil
}
