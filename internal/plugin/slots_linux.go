package plugin

import (
	"context"
	"errors"
	"net"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
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

// EndWarm ends the plugins of one directory, and what they started.
func EndWarm(ctx context.Context, name string) error {
	if !pathElement.MatchString(name) {
		return nil
	}
	mark := hasVariable(WarmVariable + "=" + name)
	return killAll(context.WithoutCancel(ctx), func(pid int) bool { return mark(pid) && !hasMark("")(pid) })
}
