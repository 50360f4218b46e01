package spawn

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestChildrenAreEndedFirst(t *testing.T) {
	before := score(t, "self")
	Protect()
	t.Cleanup(func() {
		children.Store(nil)
		os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(before)), 0)
	})
	cmd := exec.Command("sleep", "60")
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	ours, theirs := score(t, "self"), score(t, fmt.Sprint(cmd.Process.Pid))
	if theirs < ours+apart/2 || theirs < before {
		t.Errorf("before %d, ours %d, theirs %d", before, ours, theirs)
	}
}

func score(t *testing.T, pid string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
	if err != nil {
		t.Skip(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReserveMakesThreads(t *testing.T) {
	Reserve(40)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	if len(tasks) < 40 {
		t.Errorf("%d threads", len(tasks))
	}
}

func TestNoRoomIsASentence(t *testing.T) {
	t.Parallel()
	err := explain(&os.PathError{Op: "fork/exec", Path: "/bin/sh", Err: syscall.EAGAIN})
	if !Full(err) || !strings.Contains(err.Error(), "no room for another process (resource temporarily unavailable): end some") {
		t.Error(err)
	}
	if err := Start(exec.Command("/no/such/program")); err == nil || Full(err) {
		t.Error(err)
	}
}
