package activity

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/berthdev/berth/internal/agent/usage"
)

// Bounds of what is read of a process.
const (
	maxArgs    = 64
	maxCommand = 16 << 10 // bytes of a command line
	maxEnviron = 64 << 10
)

// processesOf lists the workspace's processes: in a container all that there
// are. On a machine, which other workspaces may share, those of this user that
// were not started by another agent: sessions and scripts have the token of
// theirs in the environment.
func processesOf(reader usage.Reader, token string) func() []process {
	return func() []process {
		contained := reader.Contained()
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return nil
		}
		var all []process
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil || pid == os.Getpid() || !contained && !ours(e.Name(), token) {
				continue
			}
			if p, ok := readProcess(e.Name()); ok {
				all = append(all, p)
			}
		}
		return all
	}
}

// readProcess reads a process that does something: one that is stopped or has
// ended does not.
func readProcess(pid string) (p process, ok bool) {
	stat := head(filepath.Join("/proc", pid, "stat"), 1<<10)
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open || end+2 >= len(stat) || strings.IndexByte("ZTtX", stat[end+2]) >= 0 {
		return p, false
	}
	p.comm = string(stat[open+1 : end])
	line := head(filepath.Join("/proc", pid, "cmdline"), maxCommand)
	for arg := range bytes.SplitSeq(bytes.TrimRight(line, "\x00"), []byte{0}) {
		if len(p.args) == maxArgs {
			break
		}
		p.args = append(p.args, path.Base(string(arg)))
	}
	return p, true
}

// ours tells whether a process of a machine belongs to this agent's workspace.
func ours(pid, token string) bool {
	info, err := os.Stat(filepath.Join("/proc", pid))
	if err != nil {
		return false
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != os.Getuid() {
		return false
	}
	for v := range bytes.SplitSeq(head(filepath.Join("/proc", pid, "environ"), maxEnviron), []byte{0}) {
		if _, other, found := bytes.Cut(v, []byte("_AGENT_TOKEN=")); found && string(other) != token {
			return false
		}
	}
	return true
}

// head is the beginning of a file; nothing of one that cannot be read.
func head(name string, most int) []byte {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, most)
	n, _ := f.Read(b) // the kernel gives what there is
	return b[:n]
}
