package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestParseForward(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]forward{
		"8080:localhost:80":          {"", "tcp", "localhost:8080", "tcp", "localhost:80"},
		"127.0.0.1:8080:db:5432":     {"", "tcp", "127.0.0.1:8080", "tcp", "db:5432"},
		":8080:db:5432":              {"", "tcp", "0.0.0.0:8080", "tcp", "db:5432"},
		"*:0:db:5432":                {"", "tcp", "0.0.0.0:0", "tcp", "db:5432"},
		"[::1]:8080:[fe80::1]:80":    {"", "tcp", "[::1]:8080", "tcp", "[fe80::1]:80"},
		"8080:/run/docker.sock":      {"", "tcp", "localhost:8080", "unix", "/run/docker.sock"},
		"/tmp/a.sock:/run/b.sock":    {"", "unix", "/tmp/a.sock", "unix", "/run/b.sock"},
		"/tmp/a.sock:localhost:8080": {"", "unix", "/tmp/a.sock", "tcp", "localhost:8080"},
	} {
		want.text = text
		if got, err := parseForward("-L", text); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "8080", "8080:localhost", "8080::80", "x:localhost:80", "8080:localhost:x", "70000:localhost:80", "8080:localhost:0",
		"[::1:8080:localhost:80", "[::1]x:8080:localhost:80", "a:b:c:d:e", ":", "::::", "/a"} {
		if got, err := parseForward("-L", text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

// answering takes connections and answers each with what it got, after its end.
func answering(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				got, _ := io.ReadAll(c)
				c.Write(append(got, '!'))
				c.Close()
			}()
		}
	}()
	return l
}

func TestSSHForwards(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	dir := t.TempDir()
	target := answering(t, "tcp", "127.0.0.1:0").Addr().String()
	socket := filepath.Join(dir, "echo")
	answering(t, "unix", socket)
	one, two := answering(t, "tcp", "127.0.0.1:0"), answering(t, "tcp", "127.0.0.1:0") // open at once: two ports
	here, there := one.Addr().(*net.TCPAddr).Port, two.Addr().(*net.TCPAddr).Port
	one.Close()
	two.Close()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code <- Main(ctx, []string{"--config-dir", f.dir, "ssh", "web", "-N", "-L", fmt.Sprintf("%d:%s", here, target), "-R", fmt.Sprintf("%d:%s", there, target),
			"-L", filepath.Join(dir, "here") + ":" + socket, "-R", filepath.Join(dir, "there") + ":" + socket}, bytes.NewReader(nil), io.Discard, &errs)
	}()
	for _, at := range [][2]string{{"tcp", fmt.Sprintf("127.0.0.1:%d", here)}, {"tcp", fmt.Sprintf("127.0.0.1:%d", there)},
		{"unix", filepath.Join(dir, "here")}, {"unix", filepath.Join(dir, "there")}} {
		var c net.Conn
		var err error
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if c, err = net.Dial(at[0], at[1]); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "hello")
		c.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(c); string(got) != "hello!" || err != nil {
			t.Errorf("%v: %q %v", at, got, err)
		}
		c.Close()
	}
	cancel()
	if got := <-code; got != exitInterrupted {
		t.Errorf("exit %d: %s", got, errs.String())
	}
	if _, errs, code := f.run(t, "ssh", "web", "-R", "1:"+target, "-L", target+":"+target, "--", "true"); code != 255 || errs == "" {
		t.Errorf("a taken port: exit %d %q", code, errs)
	}
	for _, args := range [][]string{{"--stdio", "-N"}, {"-N", "--", "true"}, {"-L", "x"}} {
		if _, errs, code := f.run(t, append([]string{"ssh", "web"}, args...)...); code != 255 {
			t.Errorf("%q: exit %d %s", args, code, errs)
		}
	}
}
