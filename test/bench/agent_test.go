//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// TestAgentIdle: what an agent costs the workspace while nobody does anything.
// The bar is 40 MB.
func TestAgentIdle(t *testing.T) {
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", filepath.Join(harness.Root(), "templates", "process"))
	s.Berth("create", "idle", "-t", "process", "-y")
	s.Berth("ssh", "idle", "true") // it has run its scripts, and a session
	pid := agentOf(t, s.Data)
	time.Sleep(10 * time.Second)
	before := cpu(t, pid)
	const watched = 30
	time.Sleep(watched * time.Second)
	row("agent idle memory (resident)", []float64{rss(t, pid)}, nil, "MB")
	row("agent idle memory (proportional)", []float64{smaps(t, pid, "Pss")}, nil, "MB")
	row("agent idle memory (its own alone)", []float64{smaps(t, pid, "Private_Dirty")}, nil, "MB")
	row("agent idle processor", []float64{100 * (cpu(t, pid) - before) / watched}, nil, "% of a core")
	s.Berth("delete", "idle", "-y")
}

// agentOf is the process of the only agent whose data are below a directory.
func agentOf(t *testing.T, data string) int {
	t.Helper()
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		line, _ := os.ReadFile(p + "/cmdline")
		cwd, _ := os.Readlink(p + "/cwd")
		if strings.Contains(string(line), "berth-agent") && strings.HasSuffix(string(line), "\x00agent\x00") && strings.HasPrefix(cwd, data) {
			pid, _ := strconv.Atoi(filepath.Base(p))
			return pid
		}
	}
	t.Fatal("there is no agent")
	return 0
}

// smaps is one sum over the memory of a process, in MB.
func smaps(t *testing.T, pid int, name string) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb float64
		if _, err := fmt.Sscanf(line, name+": %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}
