package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

// relay is the server's side of the real path: HTTP, websocket, tunnel.
type relay struct {
	mu     sync.Mutex
	link   *tunnel.Link
	count  int
	script string // what the agent runs at its start
	lines  []string
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer secret" {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(api.Problem{Status: 401, Code: "unauthenticated", Detail: "unknown agent"})
		return
	}
	switch req.URL.Path {
	case "/api/v1/agent/hello":
		json.NewEncoder(w).Encode(api.Manifest{Protocol: 1, AgentID: "a1", RelayURL: "http://" + req.Host, Agent: berth.AgentSpec{Name: "main", Scripts: []berth.Script{onStart("s", r.script)}}})
	case "/api/v1/agent/logs":
		var in api.AgentLogs
		json.NewDecoder(req.Body).Decode(&in)
		r.mu.Lock()
		for _, l := range in.Lines {
			r.lines = append(r.lines, l.Text)
		}
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case "/api/v1/agent/link":
		conn, err := tunnel.Accept(w, req)
		if err != nil {
			return
		}
		link, err := tunnel.NewLink(conn)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.link = link
		r.count++
		r.mu.Unlock()
		<-link.Closed()
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (r *relay) current() (*tunnel.Link, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.link, r.count
}

// said is what the agent's scripts printed.
func (r *relay) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// front lets SSH clients through to the agent, as a person's client would.
func (r *relay) front(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				link, _ := r.current()
				out, in := io.Pipe()
				body, err := link.Open(context.Background(), tunnel.Opening{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Kind: "ssh"}, out)
				if err != nil {
					t.Log(err)
					return
				}
				s := tunnel.New(carrier{body, in})
				defer s.Close()
				copyBoth(conn.(*net.TCPConn), s)
			}()
		}
	}()
	return l.Addr().String()
}

// carrier joins the two bodies of a stream's request.
type carrier struct {
	io.ReadCloser
	to *io.PipeWriter
}

func (c carrier) Write(p []byte) (int, error) { return c.to.Write(p) }

func (c carrier) Close() error {
	c.to.Close()
	return c.ReadCloser.Close()
}

func copyBoth(a *net.TCPConn, b *tunnel.Stream) {
	var both sync.WaitGroup
	both.Go(func() { io.Copy(b, a); b.CloseWrite() })
	both.Go(func() { io.Copy(a, b); a.CloseWrite() })
	both.Wait()
}

func TestRealPath(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("SKIPPED: there is no OpenSSH client on this machine")
	}
	r := &relay{}
	server := httptest.NewServer(r)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{URL: server.URL, Token: "secret", DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(testLog{t}, nil))})
	}()
	eventually(t, "link", func() bool { _, n := r.current(); return n == 1 })
	host, port, _ := net.SplitHostPort(r.front(t))
	ssh := func(command string) *exec.Cmd {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		t.Cleanup(cancel)
		return exec.CommandContext(ctx, "ssh", "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-p", port, host, command)
	}
	cmd := ssh("cat; echo $CODER_AGENT_URL")
	cmd.Stdin = strings.NewReader(strings.Repeat("0123456789abcdef\n", 1<<20))
	out, err := cmd.Output()
	if err != nil || len(out) != 17<<20+len(server.URL)+1 {
		t.Fatalf("%d bytes, %v", len(out), err)
	}

	// The link is lost, what was started runs on, and the agent is back soon.
	marker := filepath.Join(t.TempDir(), "marker")
	long := ssh("echo > " + marker + ".begun; sleep 1; echo done > " + marker)
	if err := long.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the command", func() bool { _, err := os.Stat(marker + ".begun"); return err == nil })
	link, _ := r.current()
	link.Close()
	eventually(t, "new link", func() bool { _, n := r.current(); return n == 2 })
	eventually(t, "the end of the command", func() bool { _, err := os.Stat(marker); return err == nil })
	long.Wait()
	if out, err := ssh("echo again").Output(); string(out) != "again\n" {
		t.Errorf("%q %v", out, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// BenchmarkPath copies out of a workspace through agent, tunnel and relay.
func BenchmarkPath(b *testing.B) {
	const size = 256 << 20
	r := &relay{}
	server := httptest.NewServer(r)
	defer server.Close()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{URL: server.URL, Token: "secret", DataDir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	}()
	defer func() { cancel(); <-done }()
	for {
		if _, n := r.current(); n > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	host, port, _ := net.SplitHostPort(r.front(b))
	b.SetBytes(size)
	for b.Loop() {
		cmd := exec.Command("ssh", "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-p", port, host,
			fmt.Sprintf("head -c %d /dev/zero", size))
		out, err := cmd.StdoutPipe()
		if err != nil || cmd.Start() != nil {
			b.Fatal(err)
		}
		n, _ := io.CopyBuffer(io.Discard, out, make([]byte, 1<<20))
		if err := cmd.Wait(); err != nil || n != size {
			b.Fatalf("%d bytes, %v", n, err)
		}
	}
}
