package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth/test/harness"
)

// A workspace that lives its life on warm plugins has the same states as one whose
// builds start their plugins themselves, and nothing of them stays when the
// server has ended.
func TestWarmBuildsComeToTheSame(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	image := harness.Image(t)
	states := map[string][]string{}
	for _, mode := range []string{"off", "auto"} {
		s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins(), "--warm-plugins", mode}})
		s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+image)
		var w struct{ ID string }
		for _, step := range [][]string{
			{"create", "web", "-t", "docker", "-y"}, {"start", "web"}, {"stop", "web", "-y"}, {"start", "web"},
			{"rename", "web", "site"}, {"restart", "site", "-y"}, {"stop", "site", "-y"},
		} {
			s.Berth(step...)
			name := "web"
			if step[0] == "rename" || step[1] == "site" {
				name = "site"
			}
			s.JSON(&w, "show", name)
			states[mode] = append(states[mode], strings.Join(step, " ")+"\n"+lasting(t, s.Berth("state", "pull", name), s, w.ID))
		}
		if log := s.Berth("logs", "site", "--json"); mode == "auto" && strings.Contains(log, "Plugins are started for this build alone") {
			t.Errorf("the plugins were not warm:\n%s", log)
		}
		sets := func() int {
			found, _ := filepath.Glob(filepath.Join(s.Data, "work", "warm", "*", "lease"))
			all, _ := filepath.Glob(filepath.Join(s.Data, "work", "warm", "*"))
			return len(all) - len(found)
		}
		if n := sets(); mode == "auto" && n < 1 {
			t.Error("no plugins wait for the next build")
		}
		s.Berth("delete", "site", "-y")
		s.Signal(syscall.SIGKILL) // ends no plugin itself
		harness.Eventually(t, 20*time.Second, func() string { return strings.Join(warmProcesses(s.Data), "\n") })
		s.Run()
	}
	if diff := cmp.Diff(states["off"], states["auto"]); diff != "" {
		t.Errorf("the states of cold (-) and warm (+) builds differ:\n%s", diff)
	}
}

// TestStormOnWarmPlugins kills the server, keepers and plugins at random moments
// of builds of containers. Afterwards the next build of each workspace comes to its
// end, and no plugin is left that nobody has.
func TestStormOnWarmPlugins(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	image := harness.Image(t)
	r := seed(t)
	s := harness.Start(t, harness.Options{Host: harness.BridgeIP(t), Args: []string{"--plugin-mirror", harness.Plugins(), "--warm-plugins", "auto"}})
	s.Berth("templates", "push", "docker", "-d", starter("docker"), "--variable", "image="+image)
	names := []string{"a", "b"}
	for _, n := range names {
		s.Berth("create", n, "-t", "docker", "-y")
	}
	defer func() {
		if out, err := exec.Command("docker", "ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.CreatedAt}} {{.Status}}").Output(); t.Failed() && err == nil {
			t.Logf("containers:\n%s", out)
		}
		for _, n := range names {
			var builds []struct{ Number int }
			if out, _, code := s.Try("builds", "list", n, "--json"); !t.Failed() || code != 0 || json.Unmarshal([]byte(out), &builds) != nil {
				continue
			}
			for _, b := range builds[:min(24, len(builds))] {
				out, _, _ := s.Try("logs", n, "--build", fmt.Sprint(b.Number))
				t.Logf("the log of build %d of %s:\n%s", b.Number, n, out)
			}
		}
	}()
	for i := range storms(4, 60) {
		n := names[r.IntN(len(names))]
		s.Try([]string{"start", "stop", "restart"}[r.IntN(3)], n, "-y", "--no-wait")
		time.Sleep(time.Duration(r.IntN(900)) * time.Millisecond)
		switch keepers, plugins := keepersOf(s), warmProcesses(s.Data); {
		case r.IntN(3) == 0 && len(keepers) > 0:
			syscall.Kill(keepers[r.IntN(len(keepers))], syscall.SIGKILL)
			t.Logf("turn %d: killed a keeper", i)
		case r.IntN(2) == 0 && len(plugins) > 0:
			var pid int
			fmt.Sscanf(plugins[r.IntN(len(plugins))], "/proc/%d ", &pid)
			syscall.Kill(pid, syscall.SIGKILL)
			t.Logf("turn %d: killed a plugin", i)
		default:
			s.Signal(syscall.SIGKILL)
			s.Run()
			t.Logf("turn %d: killed the server", i)
		}
		settle(t, s, n)
	}
	for _, n := range names {
		s.Berth("start", n, "-y")
		s.Berth("stop", n, "-y")
		s.Berth("delete", n, "-y")
	}
	s.Signal(syscall.SIGTERM)
	harness.Eventually(t, 20*time.Second, func() string { return strings.Join(warmProcesses(s.Data), "\n") })
	s.Run()
}

// warmProcesses are the plugins that a server with data in dir keeps.
func warmProcesses(dir string) (list []string) {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range found {
		line, _ := os.ReadFile(path)
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if strings.Contains(string(env), "HOME="+filepath.Join(dir, "work", "warm")) {
			list = append(list, filepath.Dir(path)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return list
}

var changing = []*regexp.Regexp{
	regexp.MustCompile(`[0-9a-f]{64}`),
	regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
	regexp.MustCompile(`"token": "[^"]*"`),
	regexp.MustCompile(`CODER_AGENT_TOKEN=[^"\\]*`),
	regexp.MustCompile(`\d+\.\d+\.\d+\.\d+(:\d+)?`),
	regexp.MustCompile(`[0-9a-f]{2}(:[0-9a-f]{2}){5}`),
	regexp.MustCompile(`"(lineage|timestamp|private|id)": "[^"]*"`),
}

// lasting is what of the managed resources of a state does not change from one
// workspace to the next of the same kind.
func lasting(t *testing.T, text string, s *harness.Server, id string) string {
	t.Helper()
	var state struct{ Resources []map[string]any }
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	managed := slices.DeleteFunc(state.Resources, func(r map[string]any) bool { return r["mode"] != "managed" })
	b, err := json.MarshalIndent(managed, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = strings.NewReplacer(id, "WORKSPACE", s.URL, "SERVER", s.Addr, "SERVER").Replace(string(b))
	for _, r := range changing {
		text = r.ReplaceAllString(text, "*")
	}
	return text
}
