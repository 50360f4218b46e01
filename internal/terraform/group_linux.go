package terraform

import (
	"io/fs"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes start a child in a group of its own, as another user when as is
// set, and end it with the thread that started it.
func attributes(as *As) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID, Groups: as.Groups}
	}
	return attr
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
