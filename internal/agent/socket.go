package agent

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// maxSocketPath is how long the path of a Unix socket may be (108 bytes with
// its end).
const maxSocketPath = 107

// localRoutes is what the workspace's own programs can ask of the agent on its
// local socket. Whoever has something to offer there adds its routes here.
func (a *agent) localRoutes() {
	a.credentialRoutes()
	newSyncer().routes(a.local)
	a.local.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, a.config.Version+"\n") })
}

// serveLocal opens the local socket; what is given back closes it. Without a
// socket the workspace goes on, and those programs say that it is missing.
func (a *agent) serveLocal() (stop func()) {
	l, remove, err := a.listenLocal()
	if err != nil {
		a.say("warn", "", fmt.Sprintf("The agent has no socket for the commands of this workspace (%v): git does not get the owner's credentials.", err))
		return func() {}
	}
	a.socket = l.Addr().String()
	server := &http.Server{Handler: a.local, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(ownUser{l})
	return func() {
		server.Close()
		remove()
	}
}

// listenLocal makes the socket in the agent's folder, or, where that has too
// long a path or is missing, in a folder of its own.
func (a *agent) listenLocal() (l *net.UnixListener, remove func(), err error) {
	dir, remove := a.dataDir, func() {}
	if dir == "" || len(filepath.Join(dir, "agent.sock")) > maxSocketPath {
		if dir, err = os.MkdirTemp("", "berth-agent-"); err != nil {
			return nil, nil, err
		}
		remove = func() { os.RemoveAll(dir) }
	}
	path := filepath.Join(dir, "agent.sock")
	os.Remove(path) // of a process that was killed
	if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}); err != nil {
		remove()
		return nil, nil, err
	}
	if err = os.Chmod(path, 0o600); err != nil {
		l.Close()
		remove()
		return nil, nil, err
	}
	return l, remove, nil
}

// ownUser lets in the agent's own user and root alone, whatever the file's mode
// lets through.
type ownUser struct{ *net.UnixListener }

func (l ownUser) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(conn); err == nil && (uid == 0 || int(uid) == os.Getuid()) {
			return conn, nil
		}
		conn.Close()
	}
}

// peer is the user of the process at the other end.
func peer(conn *net.UnixConn) (uid uint32, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return cred.Uid, nil
}
