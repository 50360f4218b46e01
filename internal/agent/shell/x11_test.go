package shell

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"
)

// x11Request is the payload of x11-req.
type x11Request struct {
	Single           bool
	Protocol, Cookie string
	Screen           uint32
}

const cookie = "00112233445566778899aabbccddeeff"

// x11Session asks for a display on a session of its own and gives what the
// display's connections carry.
func x11Session(t *testing.T, client *ssh.Client, in x11Request) (*ssh.Session, <-chan ssh.NewChannel) {
	t.Helper()
	channels := client.HandleChannelOpen("x11")
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := s.SendRequest("x11-req", true, ssh.Marshal(in)); !ok || err != nil {
		t.Fatalf("x11-req: %v %v", ok, err)
	}
	return s, channels
}

// Programs find the display and its cookie, connections to it reach the client,
// and nothing is left behind.
func TestX11(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, channels := x11Session(t, p.client(), x11Request{Protocol: "MIT-MAGIC-COOKIE-1", Cookie: cookie, Screen: 2})
	in, _ := s.StdinPipe()
	said := &output{}
	s.Stdout = said
	if err := s.Start("echo $DISPLAY; cat"); err != nil {
		t.Fatal(err)
	}
	var number int
	eventually(t, "DISPLAY", func() bool {
		_, err := fmt.Sscanf(said.String(), "localhost:%d.2\n", &number)
		return err == nil
	})
	content, err := os.ReadFile(filepath.Join(p.home, ".Xauthority"))
	if err != nil {
		t.Fatal(err)
	}
	entry, rest, ok := cutXauthEntry(content)
	host, _ := os.Hostname()
	if !ok || len(rest) > 0 || entry.address != host || entry.number != fmt.Sprint(number) || fmt.Sprintf("%x", entry.data) != cookie {
		t.Errorf("the file says %+v", entry)
	}
	if info, err := os.Stat(filepath.Join(p.home, ".Xauthority")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", 6000+number)
	var all sync.WaitGroup
	for i := range 5 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer conn.Close()
			fmt.Fprint(conn, i)
			conn.(*net.TCPConn).CloseWrite()
			if got, _ := io.ReadAll(conn); string(got) != fmt.Sprint(i, "!") {
				t.Errorf("connection %d got %q", i, got)
			}
		})
		all.Go(func() {
			channel, requests, err := (<-channels).Accept()
			if err != nil {
				t.Error(err)
				return
			}
			go ssh.DiscardRequests(requests)
			got, _ := io.ReadAll(channel)
			channel.Write(append(got, '!'))
			channel.Close()
		})
	}
	all.Wait()
	in.Close()
	s.Wait()
	eventually(t, "end of the display", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	eventually(t, "end of the cookie", func() bool {
		_, err := os.Stat(filepath.Join(p.home, ".Xauthority"))
		return os.IsNotExist(err)
	})
}

func TestX11SingleConnection(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, channels := x11Session(t, p.client(), x11Request{Single: true, Protocol: "MIT-MAGIC-COOKIE-1", Cookie: cookie})
	defer s.Close()
	out := &output{}
	s.Stdout = out
	s.StdinPipe()
	s.Start("echo $DISPLAY; cat")
	var number int
	eventually(t, "DISPLAY", func() bool { _, err := fmt.Sscanf(out.String(), "localhost:%d.0\n", &number); return err == nil })
	address := fmt.Sprintf("127.0.0.1:%d", 6000+number)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	(<-channels).Reject(ssh.Prohibited, "")
	eventually(t, "refusal of a second connection", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

// Where the person's file cannot be written, the cookie goes into one of the
// session's own.
func TestX11WithoutHome(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(file string, s *ssh.Session) error{
		"a directory in its place":   func(file string, _ *ssh.Session) error { return os.Mkdir(file, 0o700) },
		"a path of another machine":  func(_ string, s *ssh.Session) error { return s.Setenv("XAUTHORITY", "/no/such/place") },
		"the lock of somebody alive": func(file string, _ *ssh.Session) error { return os.WriteFile(file+"-c", nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			s, _ := x11Session(t, p.client(), x11Request{Protocol: "MIT-MAGIC-COOKIE-1", Cookie: cookie})
			if err := spoil(filepath.Join(p.home, ".Xauthority"), s); err != nil {
				t.Fatal(err)
			}
			out, err := s.Output(`echo $DISPLAY; echo $XAUTHORITY; stat -c %a $XAUTHORITY $(dirname $XAUTHORITY)`)
			lines := strings.Fields(string(out))
			if err != nil || len(lines) != 4 || !strings.HasPrefix(lines[0], "localhost:") || lines[2] != "600" || lines[3] != "700" {
				t.Fatalf("%q %v", out, err)
			}
			eventually(t, "end of the file", func() bool { _, err := os.Stat(lines[1]); return os.IsNotExist(err) })
		})
	}
}

// Whatever is in the file, entries of other displays stay, in order and byte for
// byte, and ours is found; taken out again, the file is as before.
func TestXauthorityKeepsOthers(t *testing.T) {
	t.Parallel()
	ours := xauthEntry{familyLocal, "here", "10", "MIT-MAGIC-COOKIE-1", []byte("1234")}
	entry := rapid.Custom(func(t *rapid.T) []byte {
		text := rapid.StringMatching(`[a-z]{0,6}`)
		return xauthEntry{rapid.Uint16().Draw(t, "family"), text.Draw(t, "address"), rapid.StringMatching(`[0-9]{0,1}`).Draw(t, "number"), text.Draw(t, "name"), []byte(text.Draw(t, "data"))}.append(nil)
	})
	rapid.Check(t, func(t *rapid.T) {
		file := bytes.Join(rapid.SliceOf(entry).Draw(t, "entries"), nil)
		file = append(file, rapid.SampledFrom([]string{"", "\x00", "\x01\x00\x00\xffx"}).Draw(t, "garbage")...)
		with := replaceXauth(file, ours, true)
		if first, rest, ok := cutXauthEntry(with); !ok || !first.same(ours) || !bytes.Equal(rest, file) {
			t.Fatalf("%q became %q", file, with)
		}
		if again := replaceXauth(with, ours, true); !bytes.Equal(again, with) {
			t.Fatalf("a second time changes: %q", again)
		}
		newer := ours
		newer.data = []byte("5678")
		if with := replaceXauth(with, newer, true); !bytes.Equal(replaceXauth(with, ours, false), with) {
			t.Fatalf("taking out the older entry changes %q", with)
		}
		if without := replaceXauth(with, ours, false); !bytes.Equal(without, file) {
			t.Fatalf("%q became %q", file, without)
		}
	})
}

func FuzzXauthority(f *testing.F) {
	f.Add([]byte{1, 0, 0, 1, 'h', 0, 0, 0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			e, rest, ok := cutXauthEntry(b)
			if !ok {
				return
			}
			if got := e.append(nil); !bytes.Equal(got, b[:len(b)-len(rest)]) {
				t.Fatalf("%q was read as %q", b, got)
			}
			b = rest
		}
	})
}

// xauth reads what we write, and we leave alone what it writes, under one lock.
func TestXauthorityBesideXauth(t *testing.T) {
	t.Parallel()
	need(t, "xauth")
	file := filepath.Join(t.TempDir(), "auth")
	xauth := func(args ...string) string {
		out, err := exec.Command("xauth", append([]string{"-f", file}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("xauth %v: %v %s", args, err, out)
		}
		return string(out)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { xauth("add", fmt.Sprintf("other/unix:%d", 20+i), ".", cookie) })
		all.Go(func() {
			e := xauthEntry{familyLocal, "here", fmt.Sprint(10 + i), "MIT-MAGIC-COOKIE-1", []byte{1, 2, byte(i)}}
			if err := editXauthority(file, e, true); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list := xauth("list")
	for i := range 8 {
		for _, want := range []string{fmt.Sprintf("here/unix:%d  MIT-MAGIC-COOKIE-1  0102%02x\n", 10+i, i), fmt.Sprintf("other/unix:%d  MIT-MAGIC-COOKIE-1  %s\n", 20+i, cookie)} {
			if !strings.Contains(list, want) {
				t.Errorf("xauth does not list %s but\n%s", want, list)
			}
		}
	}
}

// A lock that somebody who died has left does not keep anybody out for ever.
func TestXauthorityStaleLock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "auth")
	old := time.Now().Add(-time.Minute)
	for _, name := range []string{file + "-c", file + "-l"} {
		os.WriteFile(name, nil, 0o600)
		os.Chtimes(name, old, old)
	}
	if err := editXauthority(file, xauthEntry{number: "1"}, true); err != nil {
		t.Error(err)
	}
	left, _ := filepath.Glob(file + "-*")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
