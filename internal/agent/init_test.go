package agent

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/berthdev/berth/internal/cli"
	"github.com/berthdev/berth/internal/inside"
)

// TestMain lets the test binary stand for the agent, and for its commands.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "coder":
		os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, inside.Commands()...))
	case Askpass:
		os.Exit(cli.Main(context.Background(), append([]string{"git-askpass", "--"}, os.Args[1:]...), os.Stdin, os.Stdout, os.Stderr, inside.Commands()...))
	}
	if os.Getenv("AGENT_TEST_MAIN") != "" {
		os.Exit(Main(context.Background(), os.Args, os.Stdout, os.Stderr))
	}
	if signal.Ignored(os.Interrupt) {
		// As in the background of a shell: what the tests start would be deaf to it.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	code := m.Run()
	if code == 0 {
		// Safety: an agent that ended leaves nothing that runs.
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// An agent that is the first process of a container reads the exit statuses of
// orphans, passes signals on, and ends as the agent does.
func TestInit(t *testing.T) {
	t.Parallel()
	unshare := []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	if exec.Command(unshare[0], append(unshare[1:], "true")...).Run() != nil {
		t.Skip("SKIPPED: this machine lets us make no process namespace")
	}
	r := &relay{script: "(sh -c 'sleep 0.2' &); sleep 0.5; echo pids $(ps -e -o stat= | grep -c Z) end"}
	server := httptest.NewServer(r)
	defer server.Close()
	self, _ := os.Executable()
	cmd := exec.Command(unshare[0], append(unshare[1:], self, "agent")...)
	cmd.Env = append(os.Environ(), "AGENT_TEST_MAIN=1", "BERTH_AGENT_URL="+server.URL, "BERTH_AGENT_TOKEN=secret", "BERTH_AGENT_DATA_DIR="+t.TempDir())
	said := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	eventually(t, "the script's line", func() bool { return strings.Contains(r.said(), "end") })
	if !strings.Contains(r.said(), "pids 0 end") {
		t.Errorf("zombies stay: %s", r.said())
	}
	// unshare ignores SIGTERM for itself in some versions, so its child gets it.
	pid := childOf(t, cmd.Process.Pid)
	syscall.Kill(pid, syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
	case <-time.After(time.Minute):
		t.Errorf("does not end\n%s", said.String())
	}
	if !strings.Contains(said.String(), "lifecycle=off") {
		t.Errorf("did not shut down in order:\n%s", said.String())
	}
}

func childOf(t *testing.T, pid int) int {
	t.Helper()
	child := 0
	eventually(t, "a child", func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		fmt.Sscan(string(text), &child)
		return child > 0
	})
	return child
}

func TestMainSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	self, _ := os.Executable()
	run := func(env []string, args ...string) (string, error) {
		cmd := exec.Command(self, args...)
		cmd.Env = append(env, "AGENT_TEST_MAIN=1")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	tests := []struct {
		env  []string
		args []string
		want string
		fine bool
	}{
		{nil, []string{"agent"}, "set CODER_AGENT_URL", false},
		{[]string{"CODER_AGENT_URL=http://x"}, []string{"agent"}, "has no token", false},
		{[]string{"CODER_AGENT_URL=x", "CODER_AGENT_TOKEN=t"}, []string{"agent"}, "not the address of a server", false},
		{[]string{"CODER_AGENT_URL=http://x", "CODER_AGENT_TOKEN_FILE=/does/not/exist"}, []string{"agent"}, "cannot read the agent's token", false},
		{nil, []string{"version"}, "dev", true},
		{nil, []string{"help"}, "berth-agent", true},
		{nil, []string{"nonsense"}, "no command", false},
	}
	for _, tt := range tests {
		out, err := run(tt.env, tt.args...)
		if !strings.Contains(out, tt.want) || (err == nil) != tt.fine {
			t.Errorf("%v %v: %q %v", tt.env, tt.args, out, err)
		}
	}
}

func TestMoveIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := filepath.Join(dir, ".berth-agent.0.7", "berth-agent-linux-amd64")
	os.Mkdir(filepath.Dir(from), 0o700)
	os.WriteFile(from, []byte("x"), 0o700)
	to := filepath.Join(dir, "data")
	os.Mkdir(to, 0o700)
	if got := moveIn(from, to); got != filepath.Join(to, "berth-agent-linux-amd64") {
		t.Errorf("%s", got)
	}
	if _, err := os.Stat(filepath.Dir(from)); err == nil {
		t.Error("the folder of the download stayed")
	}
	if got := moveIn("/usr/bin/env", to); got != "/usr/bin/env" {
		t.Errorf("%s", got)
	}
}
