package terraform

import (
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// outputPipe makes a pipe for terraform's output. Its writing end is open for
// reading too, so that there is always a reader while terraform lives: without
// one, the first line that it prints after our death would end it (SIGPIPE)
// before it has saved its state. What it prints then stays in the pipe.
func outputPipe() (out, in *os.File, err error) {
	if out, in, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(int(in.Fd())), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return out, in, nil // as good while we live
	}
	in.Close()
	// Room for its last lines, as it would wait when the pipe is full.
	_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20)
	return out, os.NewFile(uintptr(fd), in.Name()), nil
}

// settle waits for the end of cmd, ends what is left of its group, says that
// its number is about to become free, and frees it.
func settle(cmd *exec.Cmd, freeing func()) error {
	pid := cmd.Process.Pid
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	freeing()
	return cmd.Wait()
}

// identity changes whenever a file is replaced or written, also when its
// modification time was set back.
func identity(info fs.FileInfo) [3]int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return [3]int64{int64(s.Ino), s.Ctim.Sec, s.Ctim.Nsec}
	}
	return [3]int64{}
}
