package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/shell"
	"github.com/berthdev/berth/internal/tunnel"
)

// one is a listener of one connection.
type one struct{ conns chan net.Conn }

func (l one) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l one) Close() error   { return nil }
func (l one) Addr() net.Addr { return &net.TCPAddr{} }

// serveSSH gives the fake a workspace web with a real SSH server in it.
func (f *fake) serveSSH(t *testing.T) *atomic.Int32 {
	t.Helper()
	home := t.TempDir()
	server, err := shell.New(shell.Options{Env: func() []string {
		return append(os.Environ(), "HOME="+home, "SHELL=/bin/sh")
	}})
	if err != nil {
		t.Fatal(err)
	}
	l := one{make(chan net.Conn)}
	go server.Serve(l)
	t.Cleanup(func() { close(l.conns) })
	f.answer("GET /users/me/workspaces/web", web())
	opened := &atomic.Int32{}
	f.mux.HandleFunc("GET /api/v1/workspaces/{w}/agents/{a}/streams/{s}", func(w http.ResponseWriter, r *http.Request) {
		if !berth.IsID(r.PathValue("s")) || r.URL.Query().Get("kind") != "ssh" || r.PathValue("a") != "main" {
			t.Errorf("opened %s", r.URL)
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c.SetReadLimit(-1)
		opened.Add(1)
		stream := tunnel.New(websocket.NetConn(t.Context(), c, websocket.MessageBinary))
		l.conns <- stream
		<-stream.Done()
	})
	return opened
}

func TestSSHCommand(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	for _, c := range []struct {
		name, stdin string
		args        []string
		out, errs   string
		code        int
	}{
		{"output and status", "", []string{"ssh", "web", "--", "echo", "out;", "echo err >&2; exit 7"}, "out\n", "err\n", 7},
		{"standard input ends", "from stdin", []string{"ssh", "web.main", "--", "cat; echo after"}, "from stdinafter\n", "", 0},
		{"255 is a status too", "", []string{"ssh", "web", "exit 255"}, "", "", 255},
		{"a signal", "", []string{"ssh", "web", "--", "kill -TERM $$"}, "", "", 143},
		{"environment", "", []string{"ssh", "web", "-e", "LC_X=a b", "--", `echo "$LC_X"`}, "a b\n", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := f.runWith(t, c.stdin, c.args...)
			if out != c.out || errs != c.errs || code != c.code {
				t.Errorf("exit %d, %q, %q", code, out, errs)
			}
		})
	}
}

func TestSSHLosesNoByte(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	data := make([]byte, 20<<20)
	rand.Read(data)
	out, errs, code := f.runWith(t, string(data), "ssh", "web", "--", "cat")
	if code != 0 || out != string(data) {
		t.Errorf("exit %d, %d bytes in, %d out, %s", code, len(data), len(out), errs)
	}
	sum := sha256.Sum256(data)
	if out, _, _ := f.runWith(t, string(data), "ssh", "web", "--", "sha256sum"); !strings.HasPrefix(out, hex.EncodeToString(sum[:])) {
		t.Error(out)
	}
}

// duplex is a net.Conn made of the two pipes of `berth ssh --stdio`.
type duplex struct {
	io.Reader
	io.WriteCloser
	net.Conn
}

func (d duplex) Read(p []byte) (int, error)  { return d.Reader.Read(p) }
func (d duplex) Write(p []byte) (int, error) { return d.WriteCloser.Write(p) }
func (d duplex) Close() error                { return d.WriteCloser.Close() }
func (d duplex) LocalAddr() net.Addr         { return &net.TCPAddr{} }
func (d duplex) RemoteAddr() net.Addr        { return &net.TCPAddr{} }

func TestSSHStdio(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Main(t.Context(), []string{"--config-dir", f.dir, "ssh", "--stdio", "--hostname-suffix", "berth", "--", "web.main.berth"}, inR, outW, &errs)
		outW.Close()
	}()
	conn, chans, reqs, err := ssh.NewClientConn(duplex{Reader: outR, WriteCloser: inW}, "web", &ssh.ClientConfig{User: "x", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	remote := ssh.NewClient(conn, chans, reqs)
	s, err := remote.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.Output("echo hello"); string(out) != "hello\n" || err != nil {
		t.Errorf("%q %v", out, err)
	}
	inW.Close() // as ssh does when it is done
	select {
	case c := <-code:
		if c != 0 || errs.Len() > 0 {
			t.Errorf("exit %d: %s", c, errs.String())
		}
	case <-time.After(time.Minute):
		t.Error("it did not end with its standard input")
	}
}

func TestSSHSaysWhyNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*api.Workspace)
		says   string
	}{
		{"stopped", func(w *api.Workspace) { w.Status, w.Build.Transition, w.Agents = "stopped", "stop", nil }, "berth start web"},
		{"stopping", func(w *api.Workspace) { w.Status, w.Build.Transition, w.Build.CompletedAt = "stopping", "stop", nil }, "web is stopping"},
		{"failed", func(w *api.Workspace) { w.Status, w.Build.Status = "failed", "failed" }, "berth logs web"},
		{"no agent", func(w *api.Workspace) { w.Agents = nil }, "has no agent"},
		{"another agent", func(w *api.Workspace) { w.Agents[0].Name = "gpu" }, "it has gpu"},
		{"the relay refuses", func(*api.Workspace) {}, "is not linked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			w := web()
			c.change(&w)
			f.answer("GET /users/me/workspaces/web", w)
			f.answer("GET /workspaces/{id}", w)
			f.fail("POST /workspaces/{id}/builds", 409, berth.Conflict, "web is stopped: start it with berth start web")
			f.fail("GET /workspaces/{w}/agents/{a}/streams/{s}", 503, berth.Unavailable, "the agent main is not linked")
			name := "web"
			if c.name == "another agent" {
				name = "web.main"
			}
			if out, errs, code := f.run(t, "ssh", name, "--wait", "no", "--", "true"); code != 255 || out != "" || !strings.Contains(errs, c.says) {
				t.Errorf("exit %d, %q %q", code, out, errs)
			}
		})
	}
}

// It waits for the build, for the agent and, where the template says so, for
// the start scripts, and says on standard error what it waits for.
func TestSSHWaits(t *testing.T) {
	t.Parallel()
	at := func(status, lifecycle string, blocks bool) api.Workspace {
		w := web()
		w.Agents[0].Status, w.Agents[0].Lifecycle, w.Agents[0].Blocks = status, lifecycle, blocks
		return w
	}
	for _, c := range []struct {
		name, wait string
		blocks     bool
		says, not  string
	}{
		{"auto, blocking", "auto", true, "start scripts are running", ""},
		{"auto, not blocking", "auto", false, "has not connected yet", "start scripts"},
		{"yes", "yes", false, "start scripts are running", ""},
		{"no", "no", true, "", "waiting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.serveSSH(t)
			b, ended := building("start", "succeeded", "")
			w := at("connecting", "created", c.blocks)
			w.Status, w.Build = "pending", b
			f.answer("GET /users/bo/workspaces/web", w)
			w = at("connecting", "created", c.blocks)
			f.answer("GET /workspaces/{id}", w)
			f.events("GET /builds/"+b.ID+"/events", "build", ended)
			f.events("GET /workspaces/{id}/events", "workspace", w, "workspace", at("connected", "starting", c.blocks), "workspace", at("connected", "start_error", c.blocks))
			out, errs, code := f.run(t, "ssh", "bo/web", "--wait", c.wait, "--", "echo in")
			if code != 0 || out != "in\n" || !strings.Contains(errs, c.says) || c.not != "" && strings.Contains(strings.ReplaceAll(errs, "starting bo/web: waiting for a runner", ""), c.not) {
				t.Errorf("exit %d, %q %q", code, out, errs)
			}
		})
	}
}

// A stream that cannot be opened yet is tried again.
func TestSSHTriesAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serveSSH(t)
	var calls atomic.Int32
	front := f.Config.Handler
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/streams/") && calls.Add(1) < 3 {
			refuse(w, 503, berth.Unavailable, "the agent main is not linked")
			return
		}
		front.ServeHTTP(w, r)
	})
	out, errs, code := f.run(t, "ssh", "web", "--", "echo in")
	if code != 0 || out != "in\n" || errs != "waiting for web: the agent main is not linked\n" {
		t.Errorf("exit %d, %q %q", code, out, errs)
	}
}
