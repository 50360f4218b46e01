package shell

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"
)

func TestCiphers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, args := range [][]string{
		{"-c", "aes128-ctr"}, {"-c", "chacha20-poly1305@openssh.com"}, {"-c", "aes256-gcm@openssh.com"}, {"-c", "aes256-ctr,aes128-gcm@openssh.com"}, {"-C"},
	} {
		if out := p.out(p.ssh(append(args, "ws", "echo fine")...)); out != "fine\n" {
			t.Errorf("%v: %q", args, out)
		}
	}
	if !fastAES {
		t.Skip("SKIPPED: this processor has no instructions for AES")
	}
	said, err := p.ssh("-v", "-o", "LogLevel DEBUG1", "ws", "true").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "server->client cipher: aes128-gcm@openssh.com") {
		t.Errorf("another cipher than the fast one: %v %s", err, said)
	}
}

func TestRekeying(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const size = 16 << 20
	cmd := p.ssh("-o", "RekeyLimit 1M", "ws", "cat")
	cmd.Stdin = noise(size)
	got, want := sha256.New(), sha256.New()
	io.Copy(want, noise(size))
	cmd.Stdout = got
	if err := cmd.Run(); err != nil || string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Errorf("bytes changed, or %v", err)
	}
}

// Some clients offer nothing before they have seen our offer.
func TestPatientClient(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	conn, err := net.Dial("unix", filepath.Join(p.dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "SSH-2.0-patient\r\n")
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); line != serverVersion+"\r\n" || err != nil {
		t.Fatalf("%q %v", line, err)
	}
	packet := readPacket(in)
	if len(packet) < 6 || packet[5] != 20 || len(offered(packet)) < 3 {
		t.Errorf("no offer of ours: %q", packet)
	}
}

func TestOfferedNeverPanics(t *testing.T) {
	t.Parallel()
	good := ssh.Marshal(struct {
		Cookie   [16]byte `sshtype:"20"`
		Kex      []string
		HostKeys []string
		In, Out  []string
		Rest     []byte `ssh:"rest"`
	}{In: []string{"a", "b"}, Out: []string{"b", "c"}})
	raw := append([]byte{0, 0, 0, byte(len(good) + 1), 0}, good...)
	if got := offered(raw); len(got) != 1 || got[0] != "b" {
		t.Errorf("%v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		offered(rapid.SliceOf(rapid.Byte()).Draw(t, "noise"))
		broken := append([]byte(nil), raw...)
		broken[rapid.IntRange(0, len(raw)-1).Draw(t, "where")] = rapid.Byte().Draw(t, "what")
		offered(broken[:rapid.IntRange(0, len(raw)).Draw(t, "length")])
	})
}
