package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// The same life on PostgreSQL.
func TestPostgres(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	url := harness.Postgres(t)
	s := harness.Start(t, harness.Options{Args: []string{"--database-url", url}})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "hello", "-t", "process", "-y")
	ssh := s.OpenSSH()
	ssh.Run("hello.berth", "echo kept > note")
	s.Signal(syscall.SIGKILL)
	began := time.Now()
	s.Run()
	t.Logf("healthy again in %v", time.Since(began).Round(time.Millisecond))
	s.Berth("restart", "hello", "-y")
	if got := ssh.Run("hello.berth", "cat note"); got != "kept\n" {
		t.Errorf("the home has %q", got)
	}
	if _, err := os.Stat(filepath.Join(s.Data, "db", "berth.db")); !os.IsNotExist(err) {
		t.Error("the server made a SQLite database beside PostgreSQL")
	}
	s.Berth("delete", "hello", "-y")
}

// What keeps a server from starting is said in one sentence with the cure.
func TestServerRefusesToStart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{})
	dir := harness.Dir(t)
	closed := filepath.Join(dir, "file")
	if err := os.WriteFile(closed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Addr)
	for what, c := range map[string]struct {
		args []string
		says []string
	}{
		"port in use":          {[]string{"--data", filepath.Join(dir, "other"), "--listen", s.Addr}, []string{port, "--listen"}},
		"same data twice":      {[]string{"--data", s.Data, "--listen", "127.0.0.1:0"}, []string{s.Data}},
		"data not a directory": {[]string{"--data", filepath.Join(closed, "data"), "--listen", "127.0.0.1:0"}, []string{"--data"}},
		"unknown database":     {[]string{"--data", filepath.Join(dir, "third"), "--listen", "127.0.0.1:0", "--database-url", "mysql://x"}, []string{"mysql", "postgres"}},
		"database away":        {[]string{"--data", filepath.Join(dir, "fourth"), "--listen", "127.0.0.1:0", "--database-url", "postgres://berth@127.0.0.1:1/berth"}, []string{"127.0.0.1"}},
	} {
		t.Run(what, func(t *testing.T) {
			if what == "same data twice" && os.Getenv("BERTH_TEST_POSTGRES_URL") != "" {
				t.Skip("SKIPPED: on PostgreSQL that is allowed")
			}
			s.Fails(c.says, append([]string{"server"}, c.args...)...)
		})
	}
	if err := s.Healthy(time.Second); err != nil {
		t.Errorf("the running server: %v", err)
	}
}

// A login dies with its token, a stranger sees nothing.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{})
	token := strings.TrimSpace(s.Berth("tokens", "create", "ci"))
	as := func(token string, args ...string) int {
		t.Helper()
		_, _, code := s.Try(append([]string{"--token", token}, args...)...)
		return code
	}
	if code := as(token, "whoami"); code != 0 {
		t.Errorf("whoami with a new token: exit %d", code)
	}
	s.Berth("tokens", "remove", "ci")
	if code := as(token, "whoami"); code == 0 {
		t.Error("a removed token still works")
	}
	if code := as("berth_nonsense", "list"); code == 0 {
		t.Error("nonsense works as a token")
	}
	s.Berth("logout")
	s.Fails([]string{"berth login"}, "list")
}
