//go:build !linux

package runner

import (
	"errors"
	"os"
	"syscall"
)

// Without /proc the leftovers of a keeper that was killed cannot be told from
// other processes. They are left alone; berth says so in the build's log.
const (
	marker = "BERTH_BUILD"
	spared = "BERTH_PROCESS_ID"
)

type identity struct {
	Pid   int    `json:"pid"`
	Start uint64 `json:"start"`
	Boot  string `json:"boot"`
}

func identify(pid int) identity { return identity{Pid: pid} }

type process struct{ pid int }

func leftovers(string, identity) []process { return nil }

func (p process) isEngine(string) bool { return false }

func (p process) isJournal() bool { return false }

func (p process) signal(sig syscall.Signal) {
	if proc, err := os.FindProcess(p.pid); err == nil {
		proc.Signal(sig)
	}
}

func allocate(*os.File, int) error { return errors.ErrUnsupported }
