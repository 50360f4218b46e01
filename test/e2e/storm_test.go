package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

// storms is how many kills a storm makes: few in every run, many in a soak.
func storms(few, many int) int {
	if os.Getenv("BERTH_SOAK") != "" {
		return many
	}
	return few
}

func seed(t *testing.T) *rand.Rand {
	n := uint64(time.Now().UnixNano())
	if s := os.Getenv("BERTH_SEED"); s != "" {
		n, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed: BERTH_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// TestStormOfKills kills the server or a keeper at random moments of builds.
// Afterwards no build is lost or doubled, no state is lost, and nothing that
// Terraform made is orphaned once the next build has run.
func TestStormOfKills(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	r := seed(t)
	s := harness.Start(t, harness.Options{})
	s.Template("storm", map[string]string{"main.tf": storm})
	names := []string{"a", "b", "c"}
	for _, n := range names {
		s.Berth("create", n, "-t", "storm", "-y")
		if err := os.WriteFile(filepath.Join(homeOf(t, s, n), "kept"), []byte(n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	home := map[string]string{}
	for _, n := range names {
		home[n] = homeOf(t, s, n)
	}

	for i := range storms(5, 200) {
		n := names[r.IntN(len(names))]
		verb := []string{"start", "stop", "start", "restart"}[r.IntN(4)]
		args := []string{verb, n, "-y", "--no-wait"}
		if verb != "stop" {
			args = append(args, "--parameter", fmt.Sprintf("turn=%d", i))
		}
		if _, errs, code := s.Try(args...); code != 0 {
			t.Fatalf("turn %d: berth %s: exit %d %s", i, strings.Join(args, " "), code, errs)
		}
		time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
		what := "server"
		if keepers := keepersOf(s); len(keepers) > 0 && r.IntN(2) == 0 {
			what = "keeper"
			syscall.Kill(keepers[r.IntN(len(keepers))], syscall.SIGKILL)
		} else {
			s.Signal(syscall.SIGKILL)
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			s.Run()
		}
		t.Logf("%3d: %s %s, killed the %s", i, verb, n, what)

		for _, n := range names {
			settle(t, s, n)
		}
		// The next build repairs whatever the kill left.
		s.Berth("start", n)
		for _, n := range names {
			if b, err := os.ReadFile(filepath.Join(home[n], "kept")); err != nil || string(b) != n {
				t.Fatalf("turn %d: the home of %s is damaged: %q %v", i, n, b, err)
			}
			numbersAreWhole(t, s, n)
		}
		harness.Eventually(t, 30*time.Second, func() string { // a shell that forks is two for a moment
			if got := processesOf(s, home[n]); got != 1 {
				return fmt.Sprintf("turn %d: %d processes of %s run, want 1", i, got, n)
			}
			return ""
		})
	}
	for _, n := range names {
		s.Berth("delete", n, "-y")
		if _, err := os.Stat(home[n]); !os.IsNotExist(err) {
			t.Errorf("the home of %s is orphaned: %v", n, err)
		}
		if got := processesOf(s, home[n]); got != 0 {
			t.Errorf("%d processes of %s are orphaned", got, n)
		}
	}
	// A record goes when the server has acknowledged the end.
	harness.Eventually(t, 30*time.Second, func() string {
		left, _ := filepath.Glob(filepath.Join(s.Data, "runner", "builds", "*"))
		work, _ := filepath.Glob(filepath.Join(s.Data, "work", "builds", "*"))
		if len(left)+len(work) > 0 {
			return fmt.Sprintf("left behind: %q %q", left, work)
		}
		return ""
	})
}

const storm = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "turn" {
  name    = "turn"
  default = "0"
  mutable = true
}
resource "berth_directory" "home" {
  name = "home"
}
resource "berth_process" "computer" {
  count     = data.coder_workspace.me.start_count
  command   = ["sh", "-c", "while :; do sleep 1; done # ${data.coder_parameter.turn.value}"]
  directory = berth_directory.home.path
}
output "home" {
  value = berth_directory.home.path
}
`

// settle waits until no build of the workspace is active.
func settle(t *testing.T, s *harness.Server, name string) {
	t.Helper()
	harness.Eventually(t, 90*time.Second, func() string {
		var w struct {
			Build struct {
				Status, Error, Waits string
				Unreachable          bool
			}
		}
		out, errs, code := s.Try("show", name, "--json")
		if code != 0 {
			return errs
		}
		jsonDecode(out, &w)
		switch w.Build.Status {
		case "succeeded", "failed", "canceled":
			return ""
		}
		return fmt.Sprintf("the build of %s is %+v", name, w.Build)
	})
}

// numbersAreWhole: builds are numbered 1..n, each once, at most the last active.
func numbersAreWhole(t *testing.T, s *harness.Server, name string) {
	t.Helper()
	var builds []struct {
		Number int
		Status string
	}
	s.JSON(&builds, "builds", "list", name, "--limit", "500")
	seen := map[int]bool{}
	for _, b := range builds {
		if seen[b.Number] {
			t.Fatalf("build %d of %s is there twice", b.Number, name)
		}
		seen[b.Number] = true
	}
	for i := 1; i <= len(builds); i++ {
		if !seen[i] {
			t.Fatalf("build %d of %s is lost: %+v", i, name, builds)
		}
	}
}

// keepersOf are the process ids of the server's keepers.
func keepersOf(s *harness.Server) (pids []int) {
	return find(func(cmdline, _ string) bool {
		return strings.Contains(cmdline, "\x00keeper\x00") && strings.Contains(cmdline, s.Data)
	})
}

// processesOf counts the process workspaces whose working directory is home.
func processesOf(_ *harness.Server, home string) int {
	return len(find(func(cmdline, cwd string) bool {
		return strings.HasPrefix(cwd, home) && strings.Contains(cmdline, "while :;")
	}))
}

func find(match func(cmdline, cwd string) bool) (pids []int) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		cmdline, _ := os.ReadFile(p + "/cmdline")
		cwd, _ := os.Readlink(p + "/cwd")
		if match(string(cmdline), cwd) {
			pid, _ := strconv.Atoi(filepath.Base(p))
			pids = append(pids, pid)
		}
	}
	return pids
}
