package agent

import (
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// sshPair is a new key: the private one as OpenSSH writes it, and the public.
func sshPair(t *testing.T) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "berth")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(signer))
}

// sshServer runs OpenSSH's server for one key, and gives its port.
func sshServer(t *testing.T, authorized string) (port string) {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		t.Skip("SKIPPED: there is no OpenSSH server on this machine")
	}
	dir := t.TempDir()
	private, _ := sshPair(t)
	for name, text := range map[string]string{"host": private, "authorized": authorized} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.MkdirAll("/run/sshd", 0o755) // it wants this as root
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	config := fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nPasswordAuthentication no\n"+
		"KbdInteractiveAuthentication no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n", port, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stderr = testLog{t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	eventually(t, "sshd", func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return port
}

// bare makes a repository with one commit, and gives its path.
func bare(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: there is no git on this machine")
	}
	dir := t.TempDir()
	work, repo := filepath.Join(dir, "work"), filepath.Join(dir, "repo.git")
	git := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main", work)
	for name, text := range files {
		path := filepath.Join(work, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	git("-C", work, "add", "-A")
	git("-C", work, "commit", "-qm", "first")
	git("clone", "-q", "--bare", work, repo)
	git("-C", repo, "config", "http.receivepack", "true")
	return repo
}

// shell runs a command in the workspace as a session would.
func (h *house) shell(command string) (string, error) {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Env, cmd.Dir = append(h.a.environment(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"), h.home
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Clones and pushes over a real SSH server with the owner's key, which is on no
// disk of the workspace at any time.
func TestGitOverSSH(t *testing.T) {
	t.Parallel()
	private, public := sshPair(t)
	port, repo := sshServer(t, public), bare(t, map[string]string{"README": "hello\n"})
	h := newHouse(t, berth.AgentSpec{Name: "main"})
	h.put(t, api.Identity{Username: "ann", Email: "ann@example.com", SSHKey: private, SSHPub: public})
	h.start(t)
	me, _ := user.Current()
	known := filepath.Join(h.home, "known_hosts")
	// The tests' machine has a configuration and known hosts of its own.
	prefix := `export GIT_SSH_COMMAND="$GIT_SSH_COMMAND -F /dev/null -o UserKnownHostsFile=` + known + `"; `
	url := fmt.Sprintf("ssh://%s@127.0.0.1:%s%s", me.Username, port, repo)
	if out, err := h.shell(prefix + "git clone -q " + url + " repo && cat repo/README"); err != nil || !strings.HasSuffix(out, "hello\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := h.shell(prefix + "cd repo && date > new && git add new && git commit -qm new && git push -q && git log -1 --format=%ae"); err != nil || !strings.HasSuffix(out, "ann@example.com\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, dir := range []string{h.home, h.a.dataDir} {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && !strings.HasSuffix(path, ".test") {
				if text, _ := os.ReadFile(path); strings.Contains(string(text), "PRIVATE KEY") {
					t.Errorf("the key is in %s", path)
				}
			}
			return nil
		})
	}
	// A regenerated key is in use at once, and the old one refused by the server.
	other, otherPublic := sshPair(t)
	h.put(t, api.Identity{Username: "ann", SSHKey: other, SSHPub: otherPublic})
	if out, err := h.shell(prefix + "git ls-remote " + url); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("%v\n%s", err, out)
	}
	// A host whose key has changed is refused.
	second := sshServer(t, otherPublic)
	text, _ := os.ReadFile(known)
	os.WriteFile(known, []byte(strings.ReplaceAll(string(text), ":"+port, ":"+second)), 0o600)
	if out, err := h.shell(prefix + "git ls-remote " + strings.ReplaceAll(url, ":"+port, ":"+second)); err == nil || !strings.Contains(out, "REMOTE HOST IDENTIFICATION HAS CHANGED") {
		t.Errorf("%v\n%s", err, out)
	}
}

// external is the server's side of external sign-ins, and the service's: git
// over HTTP with a password.
type external struct {
	repo   string
	token  string // that the service takes; empty: not signed in
	mu     sync.Mutex
	logins []string
	mux    *http.ServeMux
}

func newExternal(repo string) *external {
	e := &external{repo: repo, mux: http.NewServeMux()}
	answer := func(f func(*http.Request) any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			e.mu.Lock()
			e.logins = append(e.logins, r.Header.Get("Authorization"))
			v := f(r)
			e.mu.Unlock()
			if p, ok := v.(api.Problem); ok {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(p.Status)
			}
			json.NewEncoder(w).Encode(v)
		}
	}
	e.mux.HandleFunc("GET /api/v1/external-auth/match", answer(func(r *http.Request) any {
		if !strings.Contains(r.URL.Query().Get("url"), "127.0.0.1") {
			return api.Problem{Status: 404, Code: "not_found", Detail: "no external sign-in for that repository"}
		}
		return api.ExternalMatch{ID: "forge", Name: "The Forge", Username: "oauth2", SignIn: "http://berth/external-auth/forge"}
	}))
	e.mux.HandleFunc("GET /api/v1/external-auth", answer(func(*http.Request) any {
		return api.Page[api.ExternalAuth]{Items: []api.ExternalAuth{{ID: "forge", Name: "The Forge", SignIn: "http://berth/external-auth/forge"}}}
	}))
	e.mux.HandleFunc("GET /api/v1/external-auth/forge/token", answer(func(*http.Request) any {
		if e.token == "" {
			return api.Problem{Status: 409, Code: "conflict", Detail: "you have not signed in to The Forge"}
		}
		return api.ExternalToken{ID: "forge", AccessToken: e.token, Username: "oauth2",
			TokenExtra: map[string]any{"team": map[string]any{"name": "blue", "members": []any{"ann", 2.0}}}}
	}))
	git := &cgi.Handler{Path: "/usr/lib/git-core/git-http-backend", Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(repo), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x"},
		InheritEnv: []string{"PATH"}}
	e.mux.HandleFunc("/repo.git/", func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "oauth2" || password != "gho_right" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(w, r)
	})
	return e
}

func TestGitOverHTTPS(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/lib/git-core/git-http-backend"); err != nil {
		t.Skip("SKIPPED: there is no git-http-backend on this machine")
	}
	e := newExternal(bare(t, map[string]string{"README": "hello\n"}))
	server := httptest.NewServer(e.mux)
	defer server.Close()
	h := newHouse(t, berth.AgentSpec{Name: "main"})
	h.a.config.URL = server.URL
	h.put(t, api.Identity{Username: "ann", Email: "a@b.c", Token: "berth_0123456789"})
	h.start(t)
	tests := []struct {
		name, token, command string
		ok                   bool
		says                 string
	}{
		{"not signed in", "", "git clone -q " + server.URL + "/repo.git a", false, "http://berth/external-auth/forge"},
		{"refused by the service", "gho_wrong", "git clone -q " + server.URL + "/repo.git b", false, "Authentication failed"},
		{"signed in", "gho_right", "git clone -q " + server.URL + "/repo.git c && cat c/README", true, "hello\n"},
		{"push", "gho_right", "cd c && date > new && git add new && git commit -qm new && git push 2>&1", true, "main -> main"},
		{"another host", "gho_right", `berth-askpass "Password for 'https://evil.example': "`, false, "no external sign-in"},
		{"not a prompt", "gho_right", `berth-askpass --help`, false, "does not understand"},
		{"a token", "gho_right", "coder external-auth access-token forge", true, "gho_right\n"},
		{"extra", "gho_right", "coder external-auth access-token forge --extra team.members.0", true, "ann\n"},
		{"extra object", "gho_right", "coder external-auth access-token forge --extra team.members", true, `["ann",2]`},
		{"extra that is missing", "gho_right", "coder external-auth access-token forge --extra team.x", false, `did not answer with "team.x"`},
		{"no token", "", "coder external-auth access-token forge; test $? = 1", true, "http://berth/external-auth/forge\n"},
		{"no such service", "", "coder external-auth access-token nope", false, "no external service"},
	}
	for _, tt := range tests { // one after the other: they share the repository
		e.mu.Lock()
		e.token = tt.token
		e.mu.Unlock()
		out, err := h.shell(tt.command)
		if (err == nil) != tt.ok || !strings.Contains(out, tt.says) {
			t.Errorf("%s: %v\n%s", tt.name, err, out)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, login := range e.logins {
		if login != "Bearer berth_0123456789" {
			t.Errorf("called the server as %q", login)
		}
	}
}

// Others of the machine cannot ask the socket, whatever its mode lets through.
func TestLocalSocketIsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, berth.AgentSpec{Name: "main"})
	h.start(t)
	info, err := os.Stat(h.a.socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if out, err := h.shell("curl -s --unix-socket $BERTH_AGENT_SOCKET http://agent/ssh-key"); err != nil || !strings.Contains(out, "have") && !strings.Contains(out, "has not sent") {
		t.Errorf("%v %s", err, out)
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can be somebody else")
	}
	for dir := filepath.Dir(h.a.socket); dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o777)
	}
	os.Chmod(h.a.socket, 0o777)
	if out, err := h.shell("setpriv --reuid=65534 --clear-groups curl -s --unix-socket $BERTH_AGENT_SOCKET http://agent/version"); err == nil {
		t.Errorf("nobody was let in: %s", out)
	}
}
