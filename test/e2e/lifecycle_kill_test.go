package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// listedBuild is a row of `berth builds list --json`.
type listedBuild struct {
	Number                     int
	Transition, Reason, Status string
}

func stopsOf(s *harness.Server, name string) (stops []listedBuild) {
	var all []listedBuild
	s.JSON(&all, "builds", "list", name)
	for _, b := range all {
		if b.Transition == "stop" {
			stops = append(stops, b)
		}
	}
	return stops
}

// TestKillsAtTheDeadline kills the server again and again while the time of
// workspaces ends: each of them is stopped, once, and the record says so once.
func TestKillsAtTheDeadline(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	r := seed(t)
	s := harness.Start(t, harness.Options{})
	s.Template("storm", map[string]string{"main.tf": storm})
	names := []string{"a", "b", "c", "d"}
	for _, n := range names {
		s.Berth("create", n, "-t", "storm", "--stop-after", "1m", "-y")
	}
	// The loop runs as the server starts, so a kill soon after that meets it at
	// any point of what it does.
	for end := time.Now().Add(75 * time.Second); time.Now().Before(end); {
		s.Signal(syscall.SIGKILL)
		if err := s.Launch(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(200+r.IntN(1300)) * time.Millisecond)
	}
	s.Signal(syscall.SIGKILL)
	s.Run()
	for _, n := range names {
		harness.Eventually(t, 3*time.Minute, func() string {
			if status := s.Status(n); status != "stopped" {
				return n + " is " + status
			}
			return ""
		})
		stops := stopsOf(s, n)
		if len(stops) != 1 || stops[0].Reason != "autostop" || stops[0].Status != "succeeded" || stops[0].Number != 2 {
			t.Errorf("the stops of %s: %+v", n, stops)
		}
		var rows []struct{ Action, Class, Reason string }
		s.JSON(&rows, "audit", "list", "target:admin/"+n, "action:stop")
		if len(rows) != 1 || rows[0].Class != "automatic" || rows[0].Reason == "" {
			t.Errorf("the record of %s: %+v", n, rows)
		}
		numbersAreWhole(t, s, n)
	}
}

// TestAgentAwayAtTheDeadline: a workspace whose agent cannot be asked is not
// stopped for want of use; one beside it that says that nobody uses it is.
func TestAgentAwayAtTheDeadline(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Berth("templates", "push", "process", "-d", starter("process"))
	s.Berth("create", "cut", "-t", "process", "--stop-after", "1m", "-y")
	var agents []int
	harness.Eventually(t, time.Minute, func() string {
		agents = nil
		procs, _ := filepath.Glob("/proc/[0-9]*")
		for _, p := range procs {
			line, _ := os.ReadFile(p + "/cmdline")
			env, _ := os.ReadFile(p + "/environ")
			if strings.HasSuffix(string(line), "\x00agent\x00") && strings.Contains(string(env), s.URL) {
				pid, _ := strconv.Atoi(filepath.Base(p))
				agents = append(agents, pid)
			}
		}
		if len(agents) == 0 {
			return "no agent runs"
		}
		return ""
	})
	signal := func(sig syscall.Signal) {
		for _, pid := range agents {
			syscall.Kill(pid, sig)
		}
	}
	signal(syscall.SIGSTOP) // its link stays open, and nobody answers on it
	defer signal(syscall.SIGCONT)
	s.Berth("create", "idle", "-t", "process", "--stop-after", "1m", "-y")
	harness.Eventually(t, 4*time.Minute, func() string {
		if stops := stopsOf(s, "idle"); len(stops) == 0 {
			return "the workspace that nobody uses runs on"
		}
		return ""
	})
	// Its time ended before that of the other one.
	if stops := stopsOf(s, "cut"); len(stops) != 0 || s.Status("cut") != "running" {
		t.Errorf("the workspace that cannot be asked is %s: %+v", s.Status("cut"), stops)
	}
}
