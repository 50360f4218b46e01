package agent

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const (
	maxOwnLog = 5 << 20 // bytes of the agent's own log file
	maxOwn    = 9       // agents that can share a directory
)

// ownLog is the agent's own log: standard error, and a file for where nobody
// keeps that. The file begins anew at each start and when it is full; a disk
// that is full costs the file alone.
type ownLog struct {
	out io.Writer

	mu   sync.Mutex
	file *os.File // nil: none
	size int
}

// openOwnLog opens berth-agent.log in dir. Where an agent runs that has it
// already, or somebody else put it there, it is berth-agent.2.log and so on.
func openOwnLog(out io.Writer, dir string) *ownLog {
	l := &ownLog{out: out}
	for n := 1; n <= maxOwn && l.file == nil; n++ {
		name := "berth-agent.log"
		if n > 1 {
			name = fmt.Sprintf("berth-agent.%d.log", n)
		}
		l.file = takeFile(filepath.Join(dir, name))
	}
	return l
}

// takeFile opens and empties a file of ours that no other process has; nil when
// that cannot be. The kernel gives it free when the process ends.
func takeFile(path string) *os.File {
	// NOFOLLOW: the temporary directory is everybody's.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	if err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if ok && info.Mode().IsRegular() && int(stat.Uid) == os.Getuid() && stat.Nlink == 1 &&
			syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && f.Truncate(0) == nil {
			return f
		}
	}
	f.Close()
	return nil
}

// Write never fails for the file's sake.
func (l *ownLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		if l.size+len(p) > maxOwnLog && l.file.Truncate(0) == nil {
			n, _ := fmt.Fprintf(l.file, "The file began anew: it holds %d MB.\n", maxOwnLog>>20)
			l.size = n
		}
		n, _ := l.file.Write(p)
		l.size += n
	}
	return l.out.Write(p)
}
