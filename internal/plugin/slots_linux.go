package plugin

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthdev/berth/internal/warm"
)

// keepMemoryPrivate keeps other processes of our user, those of other builds,
// from reading our memory: it holds the environments of all builds.
func keepMemoryPrivate() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

// peerOf is the process at the other end of a unix socket.
func peerOf(conn net.Conn) (peer *syscall.Ucred, err error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("not a unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	if rawErr := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); rawErr != nil {
		return nil, rawErr
	}
	return peer, err
}

// sessionOf is the session of the process at the other end, if that runs as one
// of users; nil users: as anybody.
func sessionOf(conn net.Conn, users []uint32) (session int, ok bool) {
	peer, err := peerOf(conn)
	if err != nil || users != nil && !slices.Contains(users, peer.Uid) {
		return 0, false
	}
	session, err = unix.Getsid(int(peer.Pid))
	return session, err == nil
}

// holdLock locks a file until unlock is called or the process ends.
func holdLock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

// awaitSession waits until no process of a session is left.
func awaitSession(session int) {
	member := func(pid int) bool {
		stat, err := readStat(pid)
		return err == nil && stat.session == session && !stat.dead()
	}
	for len(processes(member)) > 0 {
		time.Sleep(200 * time.Millisecond)
	}
}

// EndWarm ends the plugins of one directory, and what they started.
func EndWarm(ctx context.Context, name string) error {
	if !pathElement.MatchString(name) {
		return nil
	}
	mark := hasVariable(warm.Variable + "=" + name)
	return killAll(context.WithoutCancel(ctx), func(pid int) bool { return mark(pid) && !hasMark("")(pid) })
}
