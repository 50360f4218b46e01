package agent

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/agent/spawn"
)

// initMark in the environment tells an agent that its parent is init.
const initMark = "BERTH_AGENT_UNDER_INIT"

// initThreads are enough for waiting, passing on signals and collecting garbage.
const initThreads = 6

// needsInit tells whether this process is the first of a container. The kernel
// gives that one every orphan, and it has to read their exit statuses; an agent
// that did so would take those of its own commands too. So it becomes a small
// init with the agent as its child.
func needsInit() bool { return os.Getpid() == 1 && os.Getenv(initMark) == "" }

// beInit runs this program again as a child, passes signals on to it, reads the
// exit status of every process that comes to it, and ends as the child does.
func beInit(args []string, stderr io.Writer) int {
	// A container ends with its init, so this one needs nothing later that a
	// full workspace could not give.
	runtime.GOMAXPROCS(1)
	spawn.Reserve(initThreads)
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintf(stderr, "berth-agent: cannot find itself: %v\n", err)
		return 1
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	child, err := os.StartProcess(self, args, &os.ProcAttr{
		Env:   append(os.Environ(), initMark+"=1"),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		// A group of its own: Ctrl-C on the container's terminal reaches it
		// through us, once.
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		fmt.Fprintf(stderr, "berth-agent: cannot start itself as the child of init: %v\n", err)
		return 1
	}
	go func() {
		for s := range signals {
			syscall.Kill(child.Pid, s.(syscall.Signal))
		}
	}()
	return reap(child.Pid)
}

// reap reads exit statuses until child's, and gives that as an exit code.
func reap(child int) int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 1
		case pid != child:
		case status.Signaled():
			return 128 + int(status.Signal())
		default:
			return status.ExitStatus()
		}
	}
}
