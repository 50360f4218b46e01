package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/client"
)

// bench is one disk with a server to report to.
type bench struct {
	*fakeServer
	dir, work string
	opt       Options
}

func newBench(t *testing.T) *bench {
	root := t.TempDir()
	b := &bench{fakeServer: newFakeServer(t), dir: filepath.Join(root, "runner"), work: filepath.Join(root, "work")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(b.url, "token", client.WithRetry(0))
	if err != nil {
		t.Fatal(err)
	}
	b.opt = Options{Client: c, Dir: b.dir, Work: b.work, Slots: 4, Self: self, MinFree: -1, Grace: 5 * time.Second}
	if testing.Verbose() {
		b.opt.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	t.Cleanup(func() { killKeepers(b.dir) })
	return b
}

// killKeepers ends the keepers of records under dir, whatever a test left.
func killKeepers(dir string) {
	for _, pid := range keeperPids(dir) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func keeperPids(dir string) (pids []int) {
	files, _ := filepath.Glob(filepath.Join(dir, "builds", "*", filePid))
	for _, f := range files {
		var id identity
		if data, err := os.ReadFile(f); err == nil && json.Unmarshal(data, &id) == nil && id.Pid > 1 && identify(id.Pid) == id {
			pids = append(pids, id.Pid)
		}
	}
	return pids
}

func (b *bench) runner(t *testing.T) *Runner {
	t.Helper()
	r, err := New(b.opt)
	if err != nil {
		t.Fatal(err)
	}
	quick(r)
	return r
}

// run runs a runner until stop is called, or the test's end.
func (b *bench) run(t *testing.T) (r *Runner, stop func()) {
	t.Helper()
	r = b.runner(t)
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { err = r.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// process runs a runner in a process of its own.
func (b *bench) process(t *testing.T) (kill func()) {
	t.Helper()
	text, _ := json.Marshal(processOptions{URL: b.url, Dir: b.dir, Work: b.work, Slots: 4})
	cmd := self0("runner", string(text))
	var out bytes.Buffer
	cmd.Stderr = &out
	if testing.Verbose() {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// eventually waits for a condition for as long as a busy machine may need.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// is reads what the server knows.
func (b *bench) is(f func() bool) func() bool {
	return func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return f()
	}
}

// clean waits until nothing is left of any build on the disk.
func (b *bench) clean(t *testing.T) {
	t.Helper()
	left := func() (names []string) {
		for _, dir := range []string{filepath.Join(b.dir, "builds"), filepath.Join(b.work, "builds")} {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				names = append(names, filepath.Join(dir, e.Name()))
			}
		}
		return names
	}
	eventually(t, "an empty disk", func() bool { return len(left()) == 0 })
}

// whole checks that a build's log came complete and once.
func (b *bench) whole(t *testing.T, build *fakeBuild) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if build.doubled > 0 {
		t.Errorf("%d lines of the log came twice with different text", build.doubled)
	}
	for i := int64(1); i <= int64(len(build.logs)); i++ {
		if _, ok := build.logs[i]; !ok {
			t.Errorf("line %d of %d is missing in the log", i, len(build.logs))
		}
	}
}

func (b *bench) logText(build *fakeBuild) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for i := int64(1); i <= int64(len(build.logs)); i++ {
		fmt.Fprintln(&s, build.logs[i].Text)
	}
	return s.String()
}

func lines(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	pid := 0
	eventually(t, "a pid in "+path, func() bool {
		data, _ := os.ReadFile(path)
		pid, _ = strconv.Atoi(string(data))
		return pid > 0
	})
	return pid
}

// private checks that nobody else can look into dir.
func private(t *testing.T, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it may be removed while we look
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return nil
	})
}
