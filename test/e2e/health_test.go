package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// agentBinary is a copy of an agent that every user can run.
func agentBinary(t *testing.T, from string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(harness.Dir(t), "berth-agent")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func ownAgent(t *testing.T) string {
	return agentBinary(t, harness.Bin(t, "berth-agent-linux-"+runtime.GOARCH))
}

// lonelyAgent runs an agent by itself, and gives what is in its log file.
func lonelyAgent(t *testing.T, binary, address, token string, env ...string) (log func() string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(binary, "agent")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "BERTH_AGENT_LOG_DIR=" + dir, "BERTH_AGENT_DATA_DIR=" + dir + "/data",
		"CODER_AGENT_URL=" + address, "CODER_AGENT_TOKEN=" + token}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	t.Cleanup(background(t, cmd))
	return func() string {
		data, _ := os.ReadFile(filepath.Join(dir, "berth-agent.log"))
		return string(data)
	}
}

// authority makes certificates for loopback.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Corp CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return authority{c, key, file}
}

// serve answers h by TLS on loopback, with a certificate for name.
func (a authority) serve(t *testing.T, h http.Handler, name string, from, to time.Duration) string {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to)}
	if ip := net.ParseIP(name); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// inFront is a reverse proxy for a server.
func inFront(t *testing.T, server string, change func(*httputil.ReverseProxy)) http.Handler {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	p.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	if change != nil {
		change(p)
	}
	return p
}

// What stands between an agent and its server is named in the agent's own log,
// with what to do about it, and nothing else is repeated there.
func TestAgentSaysWhyItCannotReachTheServer(t *testing.T) {
	t.Parallel()
	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	ca := newAuthority(t)
	front := inFront(t, s.URL, nil)
	later := inFront(t, s.URL, func(p *httputil.ReverseProxy) {
		p.ModifyResponse = func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(3*time.Hour).UTC().Format(http.TimeFormat))
			return nil
		}
	})
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(refusing.Close)
	tests := []struct {
		name string
		url  string
		env  []string
		says []string
	}{
		{"name", "http://no-such-host.invalid:7080", nil, []string{"no-such-host.invalid", "name"}},
		{"port", fmt.Sprintf("http://127.0.0.1:%d", harness.FreePort(t, "127.0.0.1")), nil, []string{"is this computer itself, or this container, and nothing answers there", "--access-url"}},
		{"authority", ca.serve(t, front, "127.0.0.1", -time.Hour, time.Hour), nil, []string{`signed by \"Corp CA\", whom this computer does not trust`, "SSL_CERT_FILE"}},
		{"expired", ca.serve(t, front, "127.0.0.1", -2*time.Hour, -time.Hour), []string{"SSL_CERT_FILE=" + ca.file}, []string{"has expired on", "renew it"}},
		{"other name", ca.serve(t, front, "berth.example.com", -time.Hour, time.Hour), []string{"SSL_CERT_FILE=" + ca.file}, []string{"is for berth.example.com"}},
		{"clock", ca.serve(t, later, "127.0.0.1", 2*time.Hour, 4*time.Hour), []string{"SSL_CERT_FILE=" + ca.file}, []string{"this computer's clock", "3h0m0s behind the server's", "NTP"}},
		{"proxy", "https://berth.test", []string{"HTTPS_PROXY=" + refusing.URL}, []string{"(HTTPS_PROXY) refuses to connect to berth.test (403 Forbidden)", "NO_PROXY"}},
		{"no proxy", "https://berth.test", []string{fmt.Sprintf("https_proxy=http://127.0.0.1:%d", harness.FreePort(t, "127.0.0.1"))}, []string{"(https_proxy) refuses connections", "correct https_proxy"}},
		{"another server", refusing.URL, nil, []string{"answers 403 Forbidden, and not as Berth does"}},
		{"token", s.URL, nil, []string{"the server refuses this agent's token", "restart the workspace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := lonelyAgent(t, binary, tt.url, "nobody's token", tt.env...)
			harness.Eventually(t, 45*time.Second, func() string {
				for _, say := range append(tt.says, "cannot link to Berth at") {
					if !strings.Contains(log(), say) {
						return fmt.Sprintf("its log does not say %q:\n%s", say, log())
					}
				}
				return ""
			})
			if n := strings.Count(log(), "cannot link to Berth at"); n != 1 {
				t.Errorf("said %d times:\n%s", n, log())
			}
		})
	}
}

// anAgent is a template whose workspace runs a given agent with a given address
// of the server.
const anAgent = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "agent" {
  name = "agent"
  type = "string"
  mutable = true
}
data "coder_parameter" "url" {
  name = "url"
  type = "string"
  mutable = true
}
resource "berth_directory" "home" { name = "home" }
resource "coder_agent" "main" {
  os = "linux"
  arch = "ARCH"
  connection_timeout = 10
  startup_script  = "echo started | tee -a started"
  shutdown_script = "echo stopped >> stopped"
}
resource "berth_process" "workspace" {
  count     = data.coder_workspace.me.start_count
  directory = berth_directory.home.path
  command   = [data.coder_parameter.agent.value, "agent"]
  env = {
    CODER_AGENT_TOKEN    = coder_agent.main.token
    CODER_AGENT_URL      = data.coder_parameter.url.value
    BERTH_AGENT_DATA_DIR = "${berth_directory.home.path}/.berth/agent"
    BERTH_AGENT_LOG_DIR  = "${berth_directory.home.path}/.berth/log"
  }
}
`

func pushAnAgent(t *testing.T, s *harness.Server) {
	t.Helper()
	s.Template("agent", map[string]string{"main.tf": strings.ReplaceAll(anAgent, "ARCH", runtime.GOARCH)})
}

// A proxy that lets HTTP through and websockets not: the server knows, and says
// so everywhere; when the proxy lets them through, all is well by itself.
func TestBlockedWebsocketsAreShown(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	var open atomic.Bool
	strict := httptest.NewServer(inFront(t, s.URL, func(p *httputil.ReverseProxy) {
		direct := p.Director
		p.Director = func(r *http.Request) {
			direct(r)
			if !open.Load() {
				r.Header.Del("Upgrade")
				r.Header.Del("Connection")
			}
		}
	}))
	t.Cleanup(strict.Close)
	pushAnAgent(t, s)
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+strict.URL)
	const why = "main: the agent reaches the server by HTTP but a proxy in between blocks websockets: let it pass Upgrade requests to /api/v1/agent/link"
	harness.Eventually(t, 30*time.Second, func() string {
		if got := s.Berth("show", "web"); !strings.Contains(got, why) {
			return got
		}
		return ""
	})
	harness.Eventually(t, 30*time.Second, func() string { // connection_timeout
		if got := s.Berth("show", "web"); !strings.Contains(got, "timeout") || !strings.Contains(got, "health        "+why) {
			return got
		}
		return ""
	})
	var waits lockedBuffer
	ssh := exec.Command(harness.Bin(t, "berth"), "ssh", "web", "echo", "in")
	ssh.Env = s.Environ()
	ssh.Stderr = &waits
	out, err := ssh.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ssh.Start(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, 30*time.Second, func() string {
		if !strings.Contains(waits.String(), "blocks websockets") {
			return "berth ssh says " + waits.String()
		}
		return ""
	})
	open.Store(true)
	got, _ := io.ReadAll(out)
	if err := ssh.Wait(); err != nil || string(got) != "in\n" {
		t.Errorf("%q, %v, %s", got, err, waits.String())
	}
	if got := s.Berth("show", "web"); strings.Contains(got, "websockets") || strings.Contains(got, "health ") {
		t.Errorf("after the link:\n%s", got)
	}
}

// An agent that is too old for the server says so, with the cure.
func TestRefusedVersionIsShown(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	old := httptest.NewServer(inFront(t, s.URL, func(p *httputil.ReverseProxy) {
		direct := p.Director
		p.Director = func(r *http.Request) {
			direct(r)
			if strings.HasSuffix(r.URL.Path, "/agent/hello") {
				data, _ := io.ReadAll(r.Body)
				data = bytes.Replace(data, []byte(`"protocol":1`), []byte(`"protocol":0`), 1)
				r.Body = io.NopCloser(bytes.NewReader(data))
			}
		}
	}))
	t.Cleanup(old.Close)
	pushAnAgent(t, s)
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+old.URL)
	harness.Eventually(t, 40*time.Second, func() string {
		if got := s.Berth("show", "web"); !strings.Contains(got, "this agent is too old for the server") || !strings.Contains(got, "restart the workspace") {
			return got
		}
		return ""
	})
}

// Of a thief who has the agent's token.
func TestStolenToken(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	pushAnAgent(t, s)
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+s.URL)
	token := func() string {
		return strings.TrimSpace(s.Berth("ssh", "web", "echo", "$CODER_AGENT_TOKEN"))
	}
	stolen := token()
	if len(stolen) < 20 {
		t.Fatalf("the token is %q", stolen)
	}

	thief := lonelyAgent(t, binary, s.URL, stolen)
	harness.Eventually(t, 45*time.Second, func() string {
		if !strings.Contains(thief(), "another process uses the token of this agent") {
			return "the thief's log says:\n" + thief()
		}
		return ""
	})
	show := s.Berth("show", "web")
	if !strings.Contains(show, "a second process tried to link with this agent's token") || !strings.Contains(show, "berth rotate-key web") {
		t.Errorf("berth show does not warn:\n%s", show)
	}
	if strings.Contains(show, "health ") {
		t.Errorf("a thief made the workspace unhealthy:\n%s", show)
	}
	s.Berth("ping", "web")
	if got := token(); got != stolen {
		t.Errorf("the session is another agent's: %q", got)
	}

	s.Berth("rotate-key", "web")
	if got := token(); got != stolen {
		t.Error("the running agent lost its token before the next start")
	}
	s.Fails([]string{"the next start will use the new one"}, "rotate-key", "web")
	s.Berth("restart", "web", "-y")
	if got := token(); got == stolen || got == "" {
		t.Errorf("after the restart the token is %q", got)
	}
	for path, want := range map[string]int{"hello": 401, "lifecycle": 401, "logs": 401, "trouble": 401} {
		if got := postAs(t, s, stolen, "/api/v1/agent/"+path); got != want {
			t.Errorf("%s with the old token: %d", path, got)
		}
	}
	fresh := token()
	s.Berth("stop", "web", "-y")
	if got := postAs(t, s, fresh, "/api/v1/agent/hello"); got != 401 && got != 403 {
		t.Errorf("hello after the stop: %d", got)
	}
}

func postAs(t *testing.T, s *harness.Server, token, path string) int {
	t.Helper()
	r, err := http.NewRequest("POST", s.URL+path, strings.NewReader(`{"protocol":1,"version":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
