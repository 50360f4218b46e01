package e2e

import (
	"context"

	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/berthdev/berth/test/harness"
)

// program is a web server as it could run in a workspace. It keeps what it was
// told in headers.
type program struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *program) port() string { u, _ := url.Parse(p.URL); return u.Port() }

func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	r.Header.Write(&b)
	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.RequestURI+"\n"+b.String())
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "berth_login", Value: "evil", Path: "/"})
	w.Header().Set("Service-Worker-Allowed", "/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/ws"):
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		kind, text, err := c.Read(r.Context())
		if err == nil {
			c.Write(r.Context(), kind, text)
		}
		c.Read(r.Context())
	case strings.HasSuffix(r.URL.Path, "/events"):
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: an event\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case strings.HasSuffix(r.URL.Path, "/upload"):
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	case strings.HasSuffix(r.URL.Path, ".js"):
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, "/* hostile app */")
	case strings.HasPrefix(r.URL.Path, "/evil"):
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>evil</title>hostile app")
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>app</title>hello from the app: %s", r.URL.Path)
	}
}

// appsTemplate is the starter with apps that a program of the test serves: a
// process workspace shares the machine's loopback.
func appsTemplate(t *testing.T, port string) map[string]string {
	t.Helper()
	base, err := os.ReadFile(filepath.Join(starter("process"), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	app := func(slug, rest string) string {
		return fmt.Sprintf("resource \"coder_app\" %q {\n  agent_id = coder_agent.main.id\n  slug = %q\n%s\n}\n", slug, slug, rest)
	}
	at := func(path string) string { return `  url = "http://localhost:` + port + path + `"` + "\n" }
	return map[string]string{"main.tf": string(base) +
		app("web", at("")+"  healthcheck {\n    url = \"http://localhost:"+port+"/health\"\n    interval = 1\n    threshold = 2\n  }") +
		app("sub", at("")+"  subdomain = true") +
		app("team", at("")+"  subdomain = true\n  share = \"public\"") +
		app("evilpath", at("/evil")) +
		app("evilhost", at("/evil")+"  subdomain = true") +
		app("nobody", "  url = \"http://localhost:1\"\n  subdomain = true") +
		app("desktop", "  url = \"vscode://open?token=$SESSION_TOKEN\"\n  external = true") +
		app("shell", "  command = \"top\"")}
}

type listedApp struct{ Slug, Kind, URL, Share, Health, Note string }

// listed gives the apps of a workspace by slug.
func listed(s *harness.Server, name string) map[string]listedApp {
	var list []listedApp
	s.JSON(&list, "apps", name)
	found := map[string]listedApp{}
	for _, a := range list {
		found[a.Slug] = a
	}
	return found
}

// The hardest case for keeping apps from the API: apps under a path on the
// dashboard's own host, where the browser sends the login cookie to them.
func TestAppsInABrowser(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	harness.NeedBrowser(t)
	p := newProgram(t)
	at := net.JoinHostPort("127.0.0.1", fmt.Sprint(harness.FreePort(t, "127.0.0.1")))
	s := harness.Start(t, harness.Options{Args: []string{"--apps-listen", at, "--apps-url", "http://" + at}})
	s.Template("process", appsTemplate(t, p.port()))
	s.Berth("create", "web", "-t", "process", "-y")
	s.Berth("ports", "share", "web", p.port(), "--level", "public")
	harness.Eventually(t, time.Minute, func() string {
		if a := listed(s, "web")["web"]; a.Health != "healthy" {
			return "the app is " + a.Health
		}
		return ""
	})
	apps := listed(s, "web")
	if apps["team"].Share != "public" || apps["desktop"].Kind != "external" || apps["shell"].Kind != "command" {
		t.Errorf("apps: %+v", apps)
	}
	if got := s.Berth("apps", "open", "web", "desktop"); !strings.HasPrefix(got, "vscode://open?token=berth_") {
		t.Errorf("an external app: %s", got)
	}
	if got := s.Berth("apps", "open", "web", "shell"); got != s.URL+"/@admin/web.main/terminal?command=top\n" {
		t.Errorf("a command: %s", got)
	}
	_, appsPort, _ := net.SplitHostPort(at)
	port := "http://" + p.port() + "--web--admin.apps.localhost:" + appsPort + "/"
	before := s.Berth("tokens", "list", "--json")
	var got struct {
		SignInPage, WrongPassword, PathURL, PathBody, Host, Port, Shared, Websocket, Events, Upload, After string
		Attacks                                                                                            map[string]map[string]string
		Cookies                                                                                            []struct {
			Name, Domain string
			HTTPOnly     bool
		}
	}
	harness.Browser(t, "apps.mjs", map[string]any{
		"access": s.URL, "username": "admin", "password": harness.Password,
		"urls": map[string]string{"path": apps["web"].URL, "host": apps["sub"].URL, "shared": apps["team"].URL, "port": port,
			"evilPath": apps["evilpath"].URL, "evilHost": apps["evilhost"].URL},
	}, &got)
	if got.PathURL != apps["web"].URL+"deep/page?q=1" || got.PathBody != "hello from the app: /deep/page" {
		t.Errorf("after signing in: %s, %q", got.PathURL, got.PathBody)
	}
	if !strings.Contains(got.WrongPassword, "the password is wrong") {
		t.Errorf("a wrong password: %q", got.WrongPassword)
	}
	for what, text := range map[string]string{"host": got.Host, "port": got.Port, "shared": got.Shared, "after": got.After} {
		if !strings.HasPrefix(text, "hello from the app") {
			t.Errorf("%s: %q", what, text)
		}
	}
	if got.Websocket != "over the websocket" || got.Events != "an event" || got.Upload != fmt.Sprint(8<<20) {
		t.Errorf("websocket %q, events %q, upload %q", got.Websocket, got.Events, got.Upload)
	}
	for kind, attacks := range got.Attacks {
		if len(attacks) < 12 {
			t.Errorf("%s made %d attacks", kind, len(attacks))
		}
		for name, result := range attacks {
			if result != "blocked" {
				t.Errorf("the hostile app at %s, %s: %s", kind, name, result)
			}
		}
	}
	if after := s.Berth("tokens", "list", "--json"); strings.Count(after, `"name"`) > strings.Count(before, `"name"`)+1 || strings.Contains(after, "stolen") {
		t.Errorf("tokens before:\n%s\nafter:\n%s", before, after)
	}
	for _, c := range got.Cookies {
		if strings.HasPrefix(c.Name, "berth_") && !c.HTTPOnly && c.Name != "berth_login" { // scripts may make one that nobody reads
			t.Errorf("a cookie of ours that scripts read: %+v", c)
		}
	}
	type row struct {
		Actor  string
		Detail map[string]any
	}
	var opened []row
	s.JSON(&opened, "audit", "list", "class:connection", "target:admin/web")
	recorded := slices.ContainsFunc(opened, func(r row) bool {
		return r.Actor == "admin" && r.Detail["through"] == "app sub"
	})
	if !recorded {
		t.Errorf("that an app was opened is not in the record: %v", opened)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, request := range p.seen {
		if low := strings.ToLower(request); strings.Contains(low, "berth_") && !strings.Contains(low, "berth_agent") {
			t.Errorf("the app saw something of ours:\n%s", request)
		}
	}
	if len(p.seen) < 10 {
		t.Errorf("the app saw only %d requests", len(p.seen))
	}
}

func TestStoppedAppIsStartedFromItsPage(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	harness.NeedBrowser(t)
	p := newProgram(t)
	s := harness.Start(t, harness.Options{})
	s.Template("process", appsTemplate(t, p.port()))
	s.Berth("create", "web", "-t", "process", "-y")
	url := listed(s, "web")["sub"].URL
	s.Berth("stop", "web", "-y")
	var got struct{ Before, After string }
	harness.Browser(t, "apps_stopped.mjs", map[string]string{"access": s.URL, "url": url, "username": "admin", "password": harness.Password}, &got)
	if !strings.Contains(got.Before, "admin/web is stopped") || !strings.Contains(got.After, "hello from the app") {
		t.Errorf("%+v", got)
	}
	if status := s.Status("web"); status != "running" {
		t.Errorf("the workspace is %s", status)
	}
}

func TestPortForward(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	p := newProgram(t)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			udp.WriteTo(append([]byte("re: "), buf[:n]...), from)
		}
	}()
	s := harness.Start(t, harness.Options{})
	s.Template("process", appsTemplate(t, p.port()))
	s.Berth("create", "web", "-t", "process", "-y")
	s.Berth("ssh", "web", "--", "true") // waits for the agent, as ports does not

	var ports []struct {
		Port    int
		Process string
	}
	s.JSON(&ports, "ports", "web")
	listened := false
	for _, one := range ports {
		listened = listened || fmt.Sprint(one.Port) == p.port()
	}
	if !listened {
		t.Errorf("port %s is not among %+v", p.port(), ports)
	}

	local, other, datagrams := harness.FreePort(t, "127.0.0.1"), harness.FreePort(t, "127.0.0.1"), harness.FreePort(t, "127.0.0.1")
	_, udpPort, _ := net.SplitHostPort(udp.LocalAddr().String())
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, harness.Bin(t, "berth"), "port-forward", "web", "--tcp", fmt.Sprintf("%d:%s,127.0.0.1:%d:1", local, p.port(), other),
		"--udp", fmt.Sprintf("%d:%s", datagrams, udpPort))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = s.Environ()
	var said lockedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		cmd.Wait()
		if t.Failed() {
			t.Logf("port-forward said:\n%s", said.String())
		}
	}()
	get := func() string {
		c := http.Client{Timeout: 5 * time.Second}
		res, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/x", local))
		if err != nil {
			return err.Error()
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		if !strings.HasSuffix(string(text), "hello from the app: /x") {
			return string(text)
		}
		return ""
	}
	harness.Eventually(t, 30*time.Second, get)
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", datagrams))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	harness.Eventually(t, 30*time.Second, func() string {
		conn.Write([]byte("ping"))
		conn.SetReadDeadline(time.Now().Add(time.Second))
		buf := make([]byte, 100)
		n, err := conn.Read(buf)
		if string(buf[:n]) != "re: ping" {
			return fmt.Sprintf("%q, %v", buf[:n], err)
		}
		return ""
	})
	if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", other)); err == nil {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a port that nobody listens on gave bytes")
		}
		c.Close()
	}
	harness.Eventually(t, 30*time.Second, func() string {
		if !strings.Contains(said.String(), "nothing listens there") {
			return "it does not say that nothing listens: " + said.String()
		}
		return ""
	})
	// It goes on when the server was away.
	s.Signal(syscall.SIGKILL)
	s.Run()
	harness.Eventually(t, time.Minute, get)
}
