package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// maxAgentRSS guards the agent's memory, in MB: what it may have after abuse.
const maxAgentRSS = 80

// agentPID is the process of a workspace's agent, by its binary.
func agentPID(t *testing.T, binary string) int {
	t.Helper()
	procs, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, p := range procs {
		exe, _ := os.Readlink(p)
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(p), "cmdline"))
		if exe == binary && strings.HasSuffix(string(line), "\x00agent\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			return pid
		}
	}
	t.Fatalf("no process runs %s", binary)
	return 0
}

// rss is the memory of a process, in MB.
func rss(t *testing.T, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kb int
		if n, _ := fmt.Sscanf(lines.Text(), "VmRSS: %d kB", &kb); n == 1 {
			return kb >> 10
		}
	}
	return 0
}

// withScripts is anAgent with more of the agent's scripts.
func withScripts(more string) string {
	return strings.ReplaceAll(anAgent, "ARCH", runtime.GOARCH) + more
}

// Scripts that print without end, without lines and without sense: the logs are
// cut and say so, the agent stays small and there.
func TestFloodOfOutput(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	binary := ownAgent(t)
	s := harness.Start(t, harness.Options{})
	s.Template("agent", map[string]string{"main.tf": withScripts(`
resource "coder_script" "lines" {
  agent_id = coder_agent.main.id
  display_name = "lines"
  run_on_start = true
  log_path = "lines.log"
  script = "yes 'the quick brown fox jumps over the lazy dog' | head -c 1000000000"
}
resource "coder_script" "no_lines" {
  agent_id = coder_agent.main.id
  display_name = "no lines"
  run_on_start = true
  log_path = "no_lines.log"
  script = "tr '\\0' x </dev/zero | head -c 200000000"
}
resource "coder_script" "binary" {
  agent_id = coder_agent.main.id
  display_name = "binary"
  run_on_start = true
  log_path = "binary.log"
  script = "head -c 50000000 /dev/urandom"
}
`)})
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+s.URL)
	pid, most := agentPID(t, binary), 0
	harness.Eventually(t, 4*time.Minute, func() string {
		most = max(most, rss(t, pid))
		var w struct {
			Agents []struct{ Lifecycle string }
		}
		s.JSON(&w, "show", "web")
		if len(w.Agents) != 1 || w.Agents[0].Lifecycle != "ready" {
			return fmt.Sprintf("%+v", w)
		}
		return ""
	})
	s.Berth("ping", "web")
	t.Logf("the agent took at most %d MB", most)
	if most > maxAgentRSS {
		t.Errorf("the agent took %d MB", most)
	}
	harness.Eventually(t, time.Minute, func() string { // lines come a moment after the state
		if log := s.Berth("logs", "web.main"); !strings.Contains(log, "The log ends here: an agent keeps 1024 kB of it") || len(log) > 4<<20 {
			return fmt.Sprintf("%d bytes of log, ending in %q", len(log), log[max(0, len(log)-300):])
		}
		return ""
	})
	for _, name := range []string{"lines", "no_lines", "binary"} {
		got := s.Berth("ssh", "web", "stat -c %s ~/.berth/log/"+name+".log; tail -n 1 ~/.berth/log/"+name+".log | tail -c 100")
		size, end, _ := strings.Cut(got, "\n")
		if n, _ := strconv.Atoi(size); n < 5<<20 || n > 5<<20+200 || !strings.Contains(end, "The file ends here: it holds 5 MB.") {
			t.Errorf("%s.log: %s", name, got)
		}
	}
}

// A disk without room for anything: the logs still reach the server.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh", "mount")
	binary := ownAgent(t)
	disk := filepath.Join(harness.Dir(t), "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: this machine mounts no tmpfs: %s", out)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(disk, "full"), make([]byte, 64<<10), 0o666); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, harness.Options{})
	text := strings.ReplaceAll(withScripts(`
resource "coder_script" "talk" {
  agent_id = coder_agent.main.id
  display_name = "talk"
  run_on_start = true
  log_path = "talk.log"
  script = "echo heard all the same; head -c 100000 /dev/zero | tr '\\0' x"
}
`), "${berth_directory.home.path}/.berth", disk)
	text = strings.Replace(text, "  env = {\n    CODER", "  env = {\n    HOME = \""+disk+"\"\n    TMPDIR = \""+disk+"\"\n    CODER", 1)
	text = strings.Replace(text, "echo started | tee -a started", "echo started", 1)
	s.Template("agent", map[string]string{"main.tf": text})
	s.Berth("create", "web", "-t", "agent", "-y", "--parameter", "agent="+binary, "--parameter", "url="+s.URL)
	harness.Eventually(t, time.Minute, func() string {
		if log := s.Berth("logs", "web.main"); !strings.Contains(log, "heard all the same") {
			return log
		}
		return ""
	})
	if got := s.Berth("ssh", "web", "echo in"); got != "in\n" {
		t.Errorf("ssh: %q", got)
	}
	s.Berth("ping", "web")
	s.Berth("stop", "web", "-y")
}
