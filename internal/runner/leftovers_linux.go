package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// marker names the build, as BUILD.ATTEMPT, in the environment of everything
// that a keeper starts.
const marker = "BERTH_BUILD"

// spared marks processes that are somebody's workspace: they live on when the
// build that made them is over, and are never a build's leftovers.
const spared = "BERTH_PROCESS_ID"

// identity is the pid file: a process that cannot be mistaken for a later one
// with the same number.
type identity struct {
	Pid   int    `json:"pid"`
	Start uint64 `json:"start"` // ticks after boot
	Boot  string `json:"boot"`  // of the machine
}

func identify(pid int) identity {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	p, _ := readProcess(pid)
	return identity{Pid: pid, Start: p.start, Boot: strings.TrimSpace(string(boot))}
}

// process is what /proc/PID says.
type process struct {
	pid     int
	state   byte
	session int
	start   uint64
	env     [][]byte // empty if we may not read it
}

func readProcess(pid int) (process, bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return process{}, false
	}
	// The command's name stands in parentheses and may hold anything, so the
	// fields are counted from its end.
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 20 {
		return process{}, false
	}
	p := process{pid: pid, state: fields[0][0]}
	p.session, _ = strconv.Atoi(fields[3])
	p.start, _ = strconv.ParseUint(fields[19], 10, 64)
	return p, true
}

func (p *process) readMore() {
	env, _ := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/environ")
	p.env = bytes.Split(env, []byte{0})
}

// has tells whether p's environment names a variable; prefix is "NAME=".
func (p *process) has(prefix string) bool {
	for _, kv := range p.env {
		if bytes.HasPrefix(kv, []byte(prefix)) {
			return true
		}
	}
	return false
}

// leftovers finds the living processes of a build: those with its mark in their
// environment and those of its keeper's session, without the keeper itself,
// us, and workspaces.
func leftovers(name string, keeper identity) []process {
	session, from := keeper.Pid, keeper.Start
	if now := identify(keeper.Pid); keeper.Pid == 0 || now.Boot != keeper.Boot || now.Start != 0 && now.Start != keeper.Start {
		session = -1 // another boot, or the number belongs to somebody else by now
		if now.Boot != keeper.Boot {
			from = 0
		}
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || pid == keeper.Pid && session > 0 {
			continue
		}
		p, ok := readProcess(pid)
		if !ok || p.state == 'Z' || p.state == 'X' || p.start < from { // a keeper's are younger than itself
			continue
		}
		p.readMore()
		if p.has(spared + "=") {
			continue
		}
		if p.session == session || p.is(marker+"="+name) {
			found = append(found, p)
		}
	}
	return found
}

// is tells whether kv, "NAME=VALUE", stands in p's environment.
func (p *process) is(kv string) bool {
	for _, have := range p.env {
		if string(have) == kv {
			return true
		}
	}
	return false
}

// isEngine tells whether p is Terraform itself and not a plugin or a script.
func (p process) isEngine(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	exe, _ := os.Readlink("/proc/" + strconv.Itoa(p.pid) + "/exe")
	return exe != "" && strings.TrimSuffix(exe, " (deleted)") == real
}

// isJournal tells whether p is the process of a build's journal, which sees a
// change through that was begun and then ends by itself.
func (p process) isJournal() bool {
	command, _ := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/cmdline")
	return bytes.Equal(command, []byte("berth-plugin\x00journal\x00"))
}

// signal sends sig to p unless its number belongs to another process by now.
func (p process) signal(sig syscall.Signal) {
	if now, ok := readProcess(p.pid); ok && now.start == p.start {
		syscall.Kill(p.pid, sig)
	}
}

// allocate takes room on the disk for a file without writing to it.
func allocate(f *os.File, size int) error {
	for {
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(size)); err != syscall.EINTR {
			return err
		}
	}
}
