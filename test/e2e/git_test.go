package e2e

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/internal/credentials/oauthtest"
	"github.com/berthdev/berth/test/harness"
)

// Git as it is, in a workspace, against real servers: over SSH with the owner's
// key, which is nowhere in the home, and over HTTPS with the token of their
// external sign-in.
func TestGitInAWorkspace(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "git")
	dir := harness.Dir(t)
	repo := bareRepository(t, dir)
	oauth := oauthtest.Start(t)
	forge, ca := gitOverHTTPS(t, dir, oauth)
	config := filepath.Join(dir, "external.json")
	writeFile(t, config, oauth.Config("octo", regexp.QuoteMeta(strings.TrimPrefix(forge, "https://"))))

	s := harness.Start(t, harness.Options{Args: []string{"--external-auth", config}})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	keys := filepath.Join(dir, "authorized_keys")
	writeFile(t, keys, s.Berth("publickey"))
	remote := sshd(t, dir, keys) + repo
	if _, errs, code := s.Exec(strings.NewReader("secret of admin\n"), "secrets", "set", "first", "--env", "FIRST_SECRET", "--file", "~/.first"); code != 0 {
		t.Fatal(errs)
	}
	s.Berth("create", "dev", "-t", "process", "-y")
	ssh := s.OpenSSH()
	in := func(command string) string { return ssh.Run("dev.berth", command) }
	fails := func(command string) string {
		t.Helper()
		out, err := ssh.Command("dev.berth", command).CombinedOutput()
		if err == nil {
			t.Errorf("%s went well:\n%s", command, out)
		}
		return string(out)
	}

	if got := in("git config user.email; git config user.name"); got != "admin@example.com\nadmin\n" {
		t.Errorf("git is %q", got)
	}
	if got := in("echo $FIRST_SECRET; cat ~/.first; stat -c %a ~/.first"); got != "secret of admin\nsecret of admin600\n" {
		t.Errorf("the secret is %q", got)
	}
	in("git clone -q " + remote + " by-ssh && cd by-ssh && echo hello > file && git add file && git commit -qm first && git push -q origin HEAD:main")
	if got := in("grep -rlI 'BEGIN OPENSSH PRIVATE KEY' ~; true"); got != "" {
		t.Errorf("the private key lies in %s", got)
	}
	// A new key is there in a moment, and the old one is not used any more.
	writeFile(t, keys, s.Berth("publickey", "--regenerate", "-y"))
	harness.Eventually(t, 30*time.Second, func() string {
		if out, err := ssh.Command("dev.berth", "git -C by-ssh fetch -q").CombinedOutput(); err != nil {
			return "with a new key: " + string(out)
		}
		return ""
	})

	tls := "GIT_TERMINAL_PROMPT=0 GIT_SSL_CAINFO=" + ca + " "
	if got := fails(tls + "git clone -q " + forge + "/repo.git by-https"); !strings.Contains(got, s.URL+"/external-auth/octo") {
		t.Errorf("before the sign-in: %s", got)
	}
	oauth.Set(func(o *oauthtest.Settings) { o.Lifetime = 4 * time.Second })
	signInTo(t, s, "octo")
	in(tls + "git clone -q " + forge + "/repo.git by-https && cd by-https && grep -q hello file && echo more >> file && git commit -qam second && " + tls + "git push -q origin HEAD:main")
	first := in("coder external-auth access-token octo")
	if !oauth.Good(strings.TrimSpace(first)) || in("berth external-auth access-token octo --extra authed_user.id") != "U1\n" {
		t.Errorf("the token is %q", first)
	}
	harness.Eventually(t, 30*time.Second, func() string { // refreshed
		if next := in("coder external-auth access-token octo"); next == first || !oauth.Good(strings.TrimSpace(next)) {
			return "the token stays " + next
		}
		return ""
	})
	in(tls + "git -C by-https pull -q origin main")
	s.Berth("external-auth", "revoke", "octo")
	if got := fails("coder external-auth access-token octo"); !strings.Contains(got, s.URL+"/external-auth/octo") {
		t.Errorf("after the revocation: %s", got)
	}

	// What was changed reaches a workspace that runs; what runs there may not change it.
	if _, errs, code := s.Exec(strings.NewReader("other"), "secrets", "set", "second", "--env", "SECOND_SECRET"); code != 0 {
		t.Fatal(errs)
	}
	harness.Eventually(t, 30*time.Second, func() string {
		if got := in("echo $SECOND_SECRET"); got != "other\n" {
			return "the new secret is " + got
		}
		return ""
	})
	for _, command := range []string{"berth secrets list", "berth secrets remove first", "berth publickey --regenerate -y", "berth tokens create mine", "berth external-auth login octo"} {
		fails(command + " </dev/null")
	}
	if got := in("berth whoami | grep user; berth publickey"); !strings.Contains(got, "admin") || !strings.Contains(got, "ssh-ed25519 ") {
		t.Errorf("the command line in the workspace is %q", got)
	}
	// Its login ends with the stop.
	token := strings.TrimSpace(in("echo $CODER_SESSION_TOKEN"))
	if got := bearer(t, s.URL+"/api/v1/users/me", token); got != http.StatusOK {
		t.Errorf("the workspace's login answers %d", got)
	}
	s.Berth("stop", "dev", "-y")
	if got := bearer(t, s.URL+"/api/v1/users/me", token); got != http.StatusUnauthorized {
		t.Errorf("after the stop the workspace's login answers %d", got)
	}
}

// A template says which external sign-ins its workspaces need: nobody makes one
// without, and builds get the tokens.
func TestTemplateThatNeedsASignIn(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	dir := harness.Dir(t)
	oauth := oauthtest.Start(t)
	config := filepath.Join(dir, "external.json")
	writeFile(t, config, oauth.Config("octo", "x"))
	s := harness.Start(t, harness.Options{Args: []string{"--external-auth", config}})
	text, err := os.ReadFile(filepath.Join(starter("process"), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(dir, "template")
	if err := os.Mkdir(template, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(template, "main.tf"), strings.Replace(string(text), "    GREETING =", "    OCTO = data.coder_external_auth.octo.access_token\n    OWNER = data.coder_workspace_owner.me.session_token\n    GREETING =", 1)+`
data "coder_external_auth" "octo" {
  id = "octo"
}
data "coder_external_auth" "other" {
  id       = "other"
  optional = true
}
`)
	s.Berth("templates", "push", "octo", "-d", template)
	s.Fails([]string{"the template needs a sign-in to Octo", s.URL + "/external-auth/octo"}, "create", "dev", "-t", "octo", "-y")
	signInTo(t, s, "octo")
	s.Berth("create", "dev", "-t", "octo", "-y")
	got := strings.Fields(s.OpenSSH().Run("dev.berth", "echo $OCTO $OWNER; echo $CODER_SESSION_TOKEN"))
	if len(got) != 3 || !oauth.Good(got[0]) || got[1] != got[2] {
		t.Errorf("the workspace has %q", got)
	}
}

func bearer(t *testing.T, address, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	return w.StatusCode
}

var codeOnPage = regexp.MustCompile(`<code>([A-Z2-7-]+)</code>`)

// signInTo runs `berth external-auth login`, is its browser and types the code.
func signInTo(t *testing.T, s *harness.Server, id string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), harness.Bin(t, "berth"), "external-auth", "login", id)
	cmd.Env = s.Environ()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		address := strings.TrimSpace(lines.Text())
		if !strings.HasPrefix(address, "http") {
			continue
		}
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(res.Body)
		res.Body.Close()
		code := codeOnPage.FindSubmatch(page)
		if code == nil {
			t.Fatalf("the browser shows %d %s", res.StatusCode, page)
		}
		fmt.Fprintf(in, "%s\n", code[1])
		break
	}
	go io.Copy(io.Discard, said)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("berth external-auth login: %v", err)
	}
}

// bareRepository is one that everybody may read and write, and its path.
func bareRepository(t *testing.T, dir string) string {
	t.Helper()
	repo := filepath.Join(dir, "srv", "repo.git")
	for _, args := range [][]string{{"init", "-q", "--bare", "-b", "main", repo}, {"-C", repo, "config", "http.receivepack", "true"}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return repo
}

// gitOverHTTPS serves dir/srv with git's own program to who brings a good
// token; ca is the file that says who to trust.
func gitOverHTTPS(t *testing.T, dir string, oauth *oauthtest.Server) (address, ca string) {
	t.Helper()
	where, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: filepath.Join(strings.TrimSpace(string(where)), "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(dir, "srv"), "GIT_HTTP_EXPORT_ALL=1", "HOME=" + dir}}
	if _, err := os.Stat(backend.Path); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if name != "oauth2" || !oauth.Good(password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Header.Set("Remote-User", name)
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	ca = filepath.Join(dir, "ca.pem")
	writeFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	return s.URL, ca
}

// sshd runs a real SSH server on loopback, and gives the begin of its URLs.
func sshd(t *testing.T, dir, authorized string) string {
	t.Helper()
	program := "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIPPED: sshd is not on this machine: install openssh-server")
	}
	self, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if self.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "host_key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	port := harness.FreePort(t, "127.0.0.1")
	config := filepath.Join(dir, "sshd_config")
	writeFile(t, config, fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n", port, key, authorized))
	cmd := exec.Command(program, "-D", "-e", "-f", config)
	log := &lockedBuffer{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd:\n%s", log.String())
		}
	})
	return fmt.Sprintf("ssh://%s@127.0.0.1:%d", self.Username, port)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
