package activity

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/agent/usage"
)

func TestWantedProcesses(t *testing.T) {
	t.Parallel()
	all := []process{
		{"bash", []string{"bash", "-l"}},
		{"python3.12", []string{"python3", "train.py", "--epochs", "3"}},
		{"cargo", []string{"cargo", "build", "--release"}},
		{"kworker/u8:1", nil},
	}
	for wanted, want := range map[string]string{
		"python":               "",
		"python*":              "python*",
		"train.py":             "train.py",
		"cargo build":          "cargo build",
		"cargo  build ":        "cargo build",
		"cargo test":           "",
		"build cargo":          "",
		"make, bash":           "bash",
		",, ,":                 "",
		"[":                    "",
		"cargo build --releas": "",
		"kworker*":             "", // a name with a slash is no word
	} {
		if got, ok := running(all, wantedProcesses(wanted)); got != want || ok != (want != "") {
			t.Errorf("%q finds %q", wanted, got)
		}
	}
	if n := len(wantedProcesses(strings.Repeat("x,", 1000))); n != maxWanted {
		t.Errorf("%d processes are looked for", n)
	}
}

// awake is an agent of a template with this environment on a computer of its
// own, of which the processor can be told to have worked.
func awake(t *testing.T, env map[string]string) (k *KeepAwake, warned *int, work func(time.Duration)) {
	t.Helper()
	root, ticks := t.TempDir(), int64(0)
	work = func(d time.Duration) {
		ticks += int64(d / (10 * time.Millisecond))
		os.MkdirAll(filepath.Join(root, "proc"), 0o755)
		if err := os.WriteFile(filepath.Join(root, "proc/stat"), fmt.Appendf(nil, "cpu %d 0 0 99999 0 0 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n", ticks), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	work(0)
	warned = new(int)
	return &KeepAwake{
		activity: New(slog.New(slog.DiscardHandler), nil), env: func() map[string]string { return env }, warn: func(string) { *warned++ },
		reader: usage.At(root, 2), processes: func() []process { return []process{{comm: "make"}} },
	}, warned, work
}

func TestABusyProcessorKeepsAwake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, _, work := awake(t, map[string]string{keepAwakeProcessor: " 20 %"})
		seen := func() []api.Seen { return k.activity.seen(time.Now()).Seen }
		look := func(worked time.Duration) {
			time.Sleep(keepAwakeEvery)
			work(worked)
			k.look(time.Now())
		}
		k.look(time.Now())
		look(12 * time.Second) // 20 % of two processors
		look(11 * time.Second)
		look(60 * time.Second)
		if s := seen(); len(s) != 0 {
			t.Errorf("a moment of work: %+v", s)
		}
		look(12 * time.Second)
		if s := seen(); len(s) != 1 || s[0].Kind != berth.EvidenceProcessor || s[0].Last != 0 || s[0].Began != 60_000 || s[0].Detail != "20%" {
			t.Errorf("a minute of work: %+v", s)
		}
		look(0)
		look(12 * time.Second)
		if s := seen(); s[0].Last != 60_000 {
			t.Errorf("after it rested: %+v", s)
		}
	})
}

func TestANamedProcessKeepsAwake(t *testing.T) {
	t.Parallel()
	k, warned, _ := awake(t, map[string]string{keepAwakeProcesses: "ninja,make", keepAwakeProcessor: "much"})
	k.look(time.Now())
	k.look(time.Now())
	if s := k.activity.seen(time.Now()).Seen; len(s) != 1 || s[0].Kind != berth.EvidenceProcess || s[0].Detail != "make" {
		t.Errorf("seen %+v", s)
	}
	if *warned != 1 {
		t.Errorf("the template's mistake was said %d times", *warned)
	}
}

// On a machine that several agents share only the own one's processes count;
// what is stopped does nothing.
func TestProcessesOfThisWorkspace(t *testing.T) {
	t.Parallel()
	start := func(token string) *exec.Cmd {
		cmd := exec.Command("sleep", "60")
		cmd.Env = []string{"CODER_AGENT_TOKEN=" + token}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		return cmd
	}
	pid := func(c *exec.Cmd) string { return fmt.Sprint(c.Process.Pid) }
	mine, theirs := start("mine"), start("theirs")
	deadline := time.Now().Add(5 * time.Second)
	for !ours(pid(mine), "mine") || ours(pid(theirs), "mine") { // its environment is there a moment after its start
		if time.Now().After(deadline) {
			t.Fatalf("mine: %v, theirs: %v", ours(pid(mine), "mine"), ours(pid(theirs), "mine"))
		}
		time.Sleep(time.Millisecond)
	}
	if p, ok := readProcess(pid(mine)); !ok || p.comm != "sleep" || strings.Join(p.args, " ") != "sleep 60" {
		t.Errorf("read %+v, %v", p, ok)
	}
	if found := processesOf(usage.New(), "mine")(); len(found) == 0 {
		t.Error("no processes")
	}
	if _, ok := readProcess("0"); ok {
		t.Error("there is no process 0")
	}
}
