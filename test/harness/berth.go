package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Berth runs the command line and gives its standard output; it must succeed.
func (s *Server) Berth(args ...string) string {
	s.t.Helper()
	out, errs, code := s.Try(args...)
	if code != 0 {
		s.t.Fatalf("berth %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// Fails runs the command line, which must fail with a message that contains
// each of says; it gives the exit code.
func (s *Server) Fails(says []string, args ...string) int {
	s.t.Helper()
	out, errs, code := s.Try(args...)
	if code == 0 {
		s.t.Fatalf("berth %s succeeded:\n%s", strings.Join(args, " "), out)
	}
	for _, want := range says {
		if !strings.Contains(errs, want) {
			s.t.Errorf("berth %s does not say %q but:\n%s%s", strings.Join(args, " "), want, out, errs)
		}
	}
	return code
}

// Try runs the command line, as the first user, for at most three minutes.
func (s *Server) Try(args ...string) (stdout, stderr string, code int) {
	return s.Exec(nil, args...)
}

// Exec is Try with standard input.
func (s *Server) Exec(stdin io.Reader, args ...string) (stdout, stderr string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bin, args...)
	cmd.Env = s.Environ()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		return out.String(), err.Error(), -1
	}
	return out.String(), errs.String(), code
}

// Environ is what the command line runs with.
func (s *Server) Environ() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "BERTH_") && !strings.HasPrefix(e, "CODER_") {
			env = append(env, e)
		}
	}
	return append(env, "BERTH_CONFIG_DIR="+s.Config, "BERTH_URL="+s.URL, "NO_COLOR=1")
}

// JSON decodes what the command line prints with --json.
func (s *Server) JSON(into any, args ...string) {
	s.t.Helper()
	out := s.Berth(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		s.t.Fatalf("berth %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Status is a workspace's, as `berth show --json` says it.
func (s *Server) Status(name string) string {
	s.t.Helper()
	var w struct{ Status string }
	s.JSON(&w, "show", name)
	return w.Status
}

// Template writes files into a directory and pushes it.
func (s *Server) Template(name string, files map[string]string, args ...string) {
	s.t.Helper()
	s.Berth(append([]string{"templates", "push", name, "-d", Files(s.t, files)}, args...)...)
}

// Files writes files into a fresh directory.
func Files(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// SSH is an OpenSSH client set up by `berth config-ssh`.
type SSH struct {
	Config string
	s      *Server
}

// OpenSSH writes the configuration into a file of its own.
func (s *Server) OpenSSH() SSH {
	s.t.Helper()
	Need(s.t, "ssh")
	config := filepath.Join(filepath.Dir(s.Data), "ssh_config")
	s.Berth("config-ssh", "-y", "--ssh-config-file", config)
	return SSH{Config: config, s: s}
}

// Command is `ssh -F CONFIG args…`.
func (c SSH) Command(args ...string) *exec.Cmd {
	return c.Program("ssh", args...)
}

// Program is one of OpenSSH's that take -F: ssh, scp, sftp.
func (c SSH) Program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, append([]string{"-F", c.Config}, args...)...)
	cmd.Env = c.s.Environ()
	return cmd
}

// Run runs a command in the workspace and gives its standard output.
func (c SSH) Run(args ...string) string {
	c.s.t.Helper()
	cmd := c.Command(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		c.s.t.Fatalf("ssh %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// Eventually waits until f gives "", and fails with what it last gave.
func Eventually(t testing.TB, within time.Duration, f func() string) {
	t.Helper()
	var last string
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if last = f(); last == "" {
			return
		}
	}
	t.Fatalf("after %v: %s", within, last)
}

// Person makes a user who signs in by a command line of their own. What they run
// is theirs; the server is the same.
func (s *Server) Person(name string, args ...string) *Server {
	s.t.Helper()
	if out, errs, code := s.Exec(strings.NewReader(Password+"\n"), append([]string{"users", "create", name, "--email", name + "@example.com", "--password-stdin"}, args...)...); code != 0 {
		s.t.Fatalf("making the user %s: exit %d\n%s%s", name, code, out, errs)
	}
	p := &Server{t: s.t, bin: s.bin, URL: s.URL, Addr: s.Addr, AppsAddr: s.AppsAddr, Data: filepath.Join(Dir(s.t), "data"), Config: filepath.Join(Dir(s.t), "cli")}
	if out, errs, code := p.Exec(strings.NewReader(Password+"\n"), "login", s.URL, "--username", name, "--password-stdin"); code != 0 {
		s.t.Fatalf("signing %s in: exit %d\n%s%s", name, code, out, errs)
	}
	return p
}
