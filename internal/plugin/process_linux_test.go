package plugin

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// begin starts a shell in a fresh workspace and ends it with the test.
func begin(t *testing.T, c command) process {
	t.Helper()
	p, err := start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.end(context.Background(), 0) })
	return p
}

func shell(t *testing.T, script string) command {
	t.Helper()
	h := testHost(t)
	// Marks of tests must differ although they share a parent.
	h.workspace = "w" + strconv.FormatInt(time.Now().UnixNano(), 36)
	dir, err := h.makeDirectory("home")
	if err != nil {
		t.Fatal(err)
	}
	return command{Host: h, Name: "main", Directory: dir, Args: []string{"sh", "-c", script}}
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it never came true: %s", what)
		}
	}
}

func TestProcessLivesAndEnds(t *testing.T) {
	t.Parallel()
	c := shell(t, `trap 'echo bye >> out; exit 0' TERM; env > env; echo hello; sleep 1000 & (unset BERTH_PROCESS_ID; exec env -i sleep 1001) & echo up > up; while :; do sleep 0.05; done`)
	c.Env = []string{"SECRET=1"}
	p := begin(t, c)
	eventually(t, "it is up", func() bool { _, err := os.Stat(filepath.Join(c.Directory, "up")); return err == nil })
	if !p.alive() {
		t.Fatal("not alive")
	}
	env, _ := os.ReadFile(filepath.Join(c.Directory, "env"))
	for _, want := range []string{"HOME=" + c.Directory + "\n", "SECRET=1\n", markVariable + "=" + p.Mark + "\n", "PATH=/usr/local/sbin:"} {
		if !strings.Contains(string(env), want) {
			t.Errorf("its environment lacks %q:\n%s", want, env)
		}
	}
	if strings.Contains(string(env), "GOCACHE") || strings.Contains(string(env), "BERTH_AGENT_KEY") {
		t.Errorf("its environment is not cleared:\n%s", env)
	}
	if log, _ := os.ReadFile(p.Log); string(log) != "hello\n" {
		t.Errorf("log %q", log)
	}
	other := p
	other.Started = "1"
	if other.alive() {
		t.Error("another process of its number counts as it")
	}
	other = p
	other.Boot = "before"
	if other.alive() || len(other.marked()) > 0 {
		t.Error("a process of another boot counts as it")
	}
	if err := p.end(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if out, _ := os.ReadFile(filepath.Join(c.Directory, "out")); string(out) != "bye\n" {
		t.Errorf("it was not asked to end: %q", out)
	}
	session := processes(func(pid int) bool { s, err := readStat(pid); return err == nil && s.session == p.PID && !s.dead() })
	if p.alive() || len(p.marked()) > 0 || len(session) > 0 {
		t.Errorf("left: %v %v", p.marked(), session)
	}
	if err := p.end(t.Context(), time.Second); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestStubbornProcessIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	c := shell(t, `trap '' TERM; setsid sleep 1000 & sleep 1000 & echo up > up; while :; do sleep 0.05; done`)
	p := begin(t, c)
	eventually(t, "it is up", func() bool { _, err := os.Stat(filepath.Join(c.Directory, "up")); return err == nil })
	eventually(t, "its children are up", func() bool { return len(p.marked()) >= 3 })
	begin := time.Now()
	if err := p.end(t.Context(), 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 250*time.Millisecond || took > 8*time.Second {
		t.Errorf("took %s", took)
	}
	if left := p.marked(); len(left) > 0 || p.alive() {
		t.Errorf("left: %v", left)
	}
}

func TestDeathIsNoticed(t *testing.T) {
	t.Parallel()
	c := shell(t, `setsid sleep 1000 & exec sleep 1001`)
	p := begin(t, c)
	eventually(t, "its child is up", func() bool { return len(p.marked()) == 2 })
	_ = syscall.Kill(p.PID, syscall.SIGKILL)
	eventually(t, "its death is seen", func() bool { return !p.alive() })
	if len(p.marked()) != 1 {
		t.Errorf("marked %v", p.marked())
	}
	if err := p.end(t.Context(), time.Second); err != nil || len(p.marked()) > 0 {
		t.Errorf("left %v: %v", p.marked(), err)
	}
}

func TestStrayOfAnEarlierRunIsEndedFirst(t *testing.T) {
	t.Parallel()
	c := shell(t, `exec sleep 1000`)
	stray := exec.Command("sleep", "1000")
	stray.Env = []string{markVariable + "=" + c.Host.workspace + "/main/1-1/lost"}
	bystander := exec.Command("sleep", "1000")
	bystander.Env = []string{markVariable + "=" + c.Host.workspace + "/main2/1-1/lost"}
	for _, cmd := range []*exec.Cmd{stray, bystander} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- stray.Wait() }()
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
	eventually(t, "the stray is marked", func() bool { return len(processes(hasMark(c.Host.workspace+"/"))) == 2 })
	p := begin(t, c)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the stray lives")
	}
	if !p.alive() || len(processes(hasMark(c.Host.workspace+"/main2/"))) != 1 {
		t.Error("the wrong process was ended")
	}
	if _, err := start(t.Context(), c); !errors.Is(err, berth.Invalid) {
		t.Errorf("a second one of the same name in one run: %v", err)
	}
}

func TestBadCommands(t *testing.T) {
	t.Parallel()
	c := shell(t, "")
	c.Args = []string{"/nonexistent/program"}
	if _, err := start(t.Context(), c); !errors.Is(err, berth.Invalid) {
		t.Error(err)
	}
	c = shell(t, "true")
	c.Directory = "/nonexistent"
	if _, err := start(t.Context(), c); !errors.Is(err, berth.Invalid) {
		t.Error(err)
	}
}

func TestLogIsTrimmed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log", "main")
	file, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, _ = file.Write(make([]byte, maxLog+1))
	trimLog(path)
	_, _ = file.Write([]byte("x"))
	if info, err := os.Stat(path); err != nil || info.Size() != 1 {
		t.Errorf("%v %v", info, err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStat(text)
		if err == nil && (s.started == "" || s.state == "") {
			t.Fatalf("%+v", s)
		}
	})
}

func TestEndWorkspace(t *testing.T) {
	t.Parallel()
	c, other := shell(t, `exec sleep 1000`), shell(t, `exec sleep 1000`)
	p, q := begin(t, c), begin(t, other)
	if err := EndWorkspace(t.Context(), c.Host.workspace); err != nil || p.alive() || !q.alive() {
		t.Errorf("alive %v, another workspace's alive %v, %v", p.alive(), q.alive(), err)
	}
	if err := EndWorkspace(t.Context(), ""); err != nil || !q.alive() {
		t.Errorf("no workspace's id ended another's: %v", err)
	}
}
