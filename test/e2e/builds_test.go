package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

func jsonDecode(text string, into any) error { return json.Unmarshal([]byte(text), into) }

// slow waits in the middle of its apply for as many seconds as asked, between
// one resource and another.
const slow = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
    berth = { source = "berthdev/berth" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "seconds" {
  name    = "seconds"
  type    = "number"
  default = 0
  mutable = true
}
data "coder_parameter" "fail" {
  name    = "fail"
  type    = "bool"
  default = false
  mutable = true
}
resource "berth_directory" "home" {
  name = "home"
}
resource "terraform_data" "wait" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = [berth_directory.home.path, data.coder_parameter.seconds.value, data.coder_parameter.fail.value]
  provisioner "local-exec" {
    command = "sleep ${data.coder_parameter.seconds.value}; test ${data.coder_parameter.fail.value} = false"
  }
}
`

func TestFailedBuildIsShownAndCanBeRetried(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("slow", map[string]string{"main.tf": slow})
	code := s.Fails([]string{"main.tf", "line 27", "exit status 1"}, "create", "w", "-t", "slow", "-y", "--parameter", "fail=true")
	if code == 1 || code == 2 {
		t.Errorf("a failed build exits with %d, as any error would", code)
	}
	if got := s.Status("w"); got != "failed" {
		t.Errorf("status %s", got)
	}
	if state := s.Berth("state", "pull", "w"); !strings.Contains(state, "berth_directory") {
		t.Errorf("the failed build lost its state: %s", state)
	}
	s.Berth("start", "w", "--parameter", "fail=false")
	if got := s.Status("w"); got != "running" {
		t.Errorf("after the retry: %s", got)
	}

	s.Fails(nil, "restart", "w", "-y", "--parameter", "fail=true")
	s.Berth("delete", "w", "-y")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{Args: []string{"--slots", "1"}})
	s.Template("slow", map[string]string{"main.tf": slow})

	// One that runs is interrupted, and keeps what it made.
	s.Berth("create", "a", "-t", "slow", "-y", "--no-wait", "--parameter", "seconds=100")
	harness.Eventually(t, 30*time.Second, func() string {
		if out, _, _ := s.Try("state", "pull", "a"); !strings.Contains(out, "berth_directory") {
			return "no state was shipped while the build runs: " + out
		}
		return ""
	})
	// One that waits is over at once, and says while it waits why.
	s.Berth("create", "b", "-t", "slow", "-y", "--no-wait")
	var b struct {
		Build struct{ Waits, ID string }
	}
	if s.JSON(&b, "show", "b"); !strings.Contains(b.Build.Waits, "1 of 1") {
		t.Errorf("why it waits: %q", b.Build.Waits)
	}
	s.Berth("cancel", "b")
	if got := s.Status("b"); got != "canceled" {
		t.Errorf("after the cancel of a waiting build: %s", got)
	}

	// A second build of one workspace is refused meanwhile.
	s.Fails(nil, "start", "a")
	s.Fails(nil, "delete", "a", "-y")

	began := time.Now()
	s.Berth("cancel", "a")
	harness.Eventually(t, 30*time.Second, func() string {
		if got := s.Status("a"); got != "canceled" {
			return "after the cancel of a running build: " + got
		}
		return ""
	})
	t.Logf("canceled in %v", time.Since(began).Round(time.Millisecond))
	if state := s.Berth("state", "pull", "a"); !strings.Contains(state, "berth_directory") {
		t.Errorf("the cancelled build lost its state: %s", state)
	}
	s.Berth("start", "a", "--parameter", "seconds=0")
	s.Berth("delete", "a", "-y")
	s.Berth("delete", "b", "-y")
}

func TestOneBuildAtATime(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("slow", map[string]string{"main.tf": slow})
	s.Berth("create", "w", "-t", "slow", "-y")
	s.Berth("stop", "w", "-y")
	var wg sync.WaitGroup
	codes := make([]int, 6)
	for i := range codes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, _, codes[i] = s.Try("start", "w", "--no-wait", "--parameter", "seconds=3")
		}()
	}
	wg.Wait()
	won := 0
	for _, c := range codes {
		if c == 0 {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of 6 starts at once were taken: %v", won, codes)
	}
	s.Berth("logs", "w", "-f")
	var builds []struct{ Number int }
	if s.JSON(&builds, "builds", "list", "w"); len(builds) != 3 {
		t.Errorf("builds: %+v", builds)
	}
}

func TestOrphanDeleteLeavesTheHome(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	s.Template("t", careless(`"home"`))
	s.Berth("create", "w", "-t", "t", "-y")
	home := homeOf(t, s, "w")
	s.Berth("delete", "w", "-y", "--orphan")
	if _, err := os.Stat(home); err != nil {
		t.Errorf("an orphan delete removed the home: %v", err)
	}
	s.Fails([]string{"w"}, "show", "w")
}
