package shell

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// client is a client that can do what OpenSSH's cannot.
func (p *place) client() *ssh.Client {
	p.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(p.dir, "socket"))
	if err != nil {
		p.t.Fatal(err)
	}
	config := &ssh.ClientConfig{User: "x", HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	sshConn, channels, requests, err := ssh.NewClientConn(conn, "ws", config)
	if err != nil {
		p.t.Fatal(err)
	}
	client := ssh.NewClient(sshConn, channels, requests)
	p.t.Cleanup(func() { client.Close() })
	return client
}

func sshSignal(name string) ssh.Signal { return ssh.Signal(name) }

func exitSignal(err error) string {
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return exit.Signal()
	}
	return ""
}

// A client may hear of a connection to a port before it has noted that it asked
// for that port.
func TestRemoteForwardOfASlowClient(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := p.client()
	channels := client.HandleChannelOpen("forwarded-tcpip")
	port := freePort(t)
	if ok, _, err := client.SendRequest("tcpip-forward", true, ssh.Marshal(tcpForward{"127.0.0.1", uint32(port)})); !ok || err != nil {
		t.Fatal(ok, err)
	}
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	(<-channels).Reject(ssh.Prohibited, "no forward for address")
	again := <-channels
	channel, requests, err := again.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	fmt.Fprint(channel, "hello")
	channel.Close()
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := p.client()
	for name, want := range map[string]bool{
		"keepalive@openssh.com": true, "no-such-request": false, "hostkeys-prove-00@openssh.com": false,
		"cancel-tcpip-forward": false, "tcpip-forward": false,
	} {
		if ok, _, err := client.SendRequest(name, true, nil); ok != want || err != nil {
			t.Errorf("%s: %v %v, want %v", name, ok, err, want)
		}
	}
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x11-req", "window-change", "signal", "no-such-request", "pty-req", "env", "exec"} {
		if ok, err := s.SendRequest(name, true, []byte{1}); ok || err != nil {
			t.Errorf("%s: %v %v, want it refused", name, ok, err)
		}
	}
	if err := s.RequestSubsystem("no-such-subsystem"); err == nil {
		t.Error("an unknown subsystem was started")
	}
	if err := s.Setenv("A=B", "c"); err == nil {
		t.Error("took a broken name")
	}
	if out, err := s.Output("echo fine"); string(out) != "fine\n" || err != nil {
		t.Errorf("%q %v", out, err)
	}
	if _, _, err := client.OpenChannel("x11", nil); err == nil {
		t.Error("an unknown channel was opened")
	}
	for what, payload := range map[string][]byte{
		"no cookie":       ssh.Marshal(x11Request{Protocol: "MIT-MAGIC-COOKIE-1"}),
		"not hexadecimal": ssh.Marshal(x11Request{Protocol: "MIT-MAGIC-COOKIE-1", Cookie: "zz"}),
		"a broken name":   ssh.Marshal(x11Request{Protocol: "a\nadd b", Cookie: "00"}),
		"a long cookie":   ssh.Marshal(x11Request{Protocol: "a", Cookie: strings.Repeat("00", maxCookie+1)}),
	} {
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := s.SendRequest("x11-req", true, payload); ok || err != nil {
			t.Errorf("x11-req with %s: %v %v, want it refused", what, ok, err)
		}
		s.Close()
	}
	client.SendRequest("no-more-sessions@openssh.com", true, nil)
	if _, err := client.NewSession(); err == nil {
		t.Error("a session was opened after no-more-sessions")
	}
}

func TestChannelLimit(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := p.client()
	for range maxChannels {
		if _, _, err := client.OpenChannel("session", nil); err != nil {
			t.Fatal(err)
		}
	}
	var refused *ssh.OpenChannelError
	if _, _, err := client.OpenChannel("session", nil); !errors.As(err, &refused) || refused.Reason != ssh.ResourceShortage {
		t.Errorf("one too many: %v", err)
	}
}

// Safety: nothing that a stranger sends in place of SSH ends the server.
func TestGarbage(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, garbage := range []string{
		"", "\n", "GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "SSH-2.0-x\r\n\xff\xff\xff\xff", "SSH-2.0-x\r\n\x00\x00\x00\x04\xff\x14\x00\x00",
		"SSH-2.0-x\r\n\x00\x00\x00\x02\x01\x14", "SSH-2.0-x\r\n\x00\x00\x00\x00",
	} {
		conn, err := net.Dial("unix", filepath.Join(p.dir, "socket"))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(garbage))
		conn.Close()
	}
	if out := p.out(p.ssh("ws", "echo alive")); out != "alive\n" {
		t.Errorf("%q", out)
	}
}
