package spawn

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	worst = 1000 // the first to be ended when memory runs out
	best  = -999 // the last; -1000 would be never
	// apart is how much better the starting process's score shall be.
	apart = 500
)

// children is the score of what Start starts.
var children atomic.Pointer[string]

// Protect has the kernel spare this process when memory runs out, and end
// before it what Start starts. Lowering the own score wants a privilege; without
// it, theirs is raised.
func Protect() {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return
	}
	theirs := strconv.Itoa(now)
	if os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(max(now-apart, best))), 0) != nil {
		theirs = strconv.Itoa(min(now+apart/2, worst))
	}
	children.Store(&theirs)
}

// Start is cmd.Start.
func Start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return explain(err)
	}
	if score := children.Load(); score != nil {
		// It may have ended, or become somebody else's: no harm then.
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid), []byte(*score), 0)
	}
	return nil
}

// full is an error that there is no room for another process.
type full struct{ err error }

func (f full) Error() string {
	return fmt.Sprintf("the workspace has no room for another process (%v): end some, or give it more processes or memory in its template", f.err)
}

func (f full) Unwrap() error { return f.err }

// Full tells whether err is that there is no room for another process, which
// may pass.
func Full(err error) bool {
	var f full
	return errors.As(err, &f)
}

func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return full{errors.Unwrap(err)}
	}
	return err
}

// Reserve makes sure that this process has n threads, which it keeps. The Go
// runtime ends a process that needs another thread when the kernel gives it
// none, so they have to be there before a workspace is full.
func Reserve(n int) {
	var ready, done sync.WaitGroup
	hold := make(chan struct{})
	ready.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread() // one thread each
			ready.Done()
			<-hold
			runtime.UnlockOSThread() // else the thread would end
		})
	}
	ready.Wait()
	close(hold)
	done.Wait()
}
