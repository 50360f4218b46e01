package storetest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// guard runs the server and ends it, with its files, when its standard input
// closes: that happens when the test process ends, even by kill -9. Nothing of
// the test's output is kept open.
const guard = `
trap '' INT TERM HUP
"$1" -D "$2/data" -k "$2" >"$2/log" 2>&1 &
pid=$!
cat >/dev/null
kill -QUIT $pid 2>/dev/null
wait $pid
rm -rf "$2"
`

// settings make a server for tests: nothing needs to be kept, nothing listens on
// a network.
const settings = `
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 500
shared_buffers = 64MB
autovacuum = off
`

// running keeps the server's standard input from being collected, and so closed.
// Nobody waits for it: it outlives us by a moment.
var running *exec.Cmd

// launch starts a server, and gives its URL or why it cannot.
func launch() (address, missing string, err error) {
	initdb, postgres := find("initdb"), find("postgres")
	if initdb == "" || postgres == "" {
		return "", "there is no initdb and postgres on this machine: install PostgreSQL, or set BERTH_TEST_POSTGRES_URL", nil
	}
	dir, err := os.MkdirTemp("", "berth-pg-")
	if err != nil {
		return "", "", err
	}
	as, missing, err := unprivileged(dir)
	if err != nil || missing != "" {
		os.RemoveAll(dir)
		return "", missing, err
	}
	data := filepath.Join(dir, "data")
	cmd := exec.Command(initdb, "-D", data, "-U", "berth", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	f, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", "", err
	}
	if _, err := f.WriteString(settings); err != nil {
		return "", "", err
	}
	if err := f.Close(); err != nil {
		return "", "", err
	}
	run := exec.Command("/bin/sh", "-c", guard, "sh", postgres, dir)
	run.Dir, run.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as, Setsid: true}
	if _, err := run.StdinPipe(); err != nil { // held open until we end
		return "", "", err
	}
	if err := run.Start(); err != nil {
		return "", "", err
	}
	running = run
	return "postgres://berth@/postgres?host=" + url.QueryEscape(dir), "", nil
}

// find looks for a program of PostgreSQL; Debian keeps them out of PATH.
func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// unprivileged gives dir to a user that PostgreSQL agrees to run as: it refuses
// root.
func unprivileged(dir string) (as *syscall.Credential, missing string, err error) {
	if os.Getuid() != 0 {
		return nil, "", nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, "", err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, "", err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, "", os.Chown(dir, int(uid), int(gid))
	}
	return nil, "PostgreSQL refuses to run as root and there is no user postgres or nobody: run the tests as another user", nil
}
