package harness

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Postgres starts a PostgreSQL server from the machine's binaries for one test
// and gives the URL of an empty database. BERTH_TEST_POSTGRES_URL, if set, is
// used instead. Without either the test is skipped, aloud.
func Postgres(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("BERTH_TEST_POSTGRES_URL"); url != "" {
		return url
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("SKIPPED: PostgreSQL's binaries are not on this machine")
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	dir := Dir(t)
	data := filepath.Join(dir, "pg")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	as := unprivileged(t)
	if as != nil {
		if err := os.Chown(data, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	port := FreePort(t, "127.0.0.1")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "berth", "-A", "trust", "-E", "UTF8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, data
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", fmt.Sprint(port), "-h", "127.0.0.1", "-k", data)
	server.SysProcAttr, server.Dir = as, data
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGINT) // "fast": ends sessions, then itself
		server.Wait()
	})
	Eventually(t, 30*time.Second, func() string {
		cmd := exec.Command(filepath.Join(bin, "pg_isready"), "-h", "127.0.0.1", "-p", fmt.Sprint(port), "-U", "berth")
		if out, err := cmd.CombinedOutput(); err != nil {
			return string(out)
		}
		return ""
	})
	return fmt.Sprintf("postgres://berth@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// unprivileged is how to run PostgreSQL, which refuses root; nil when we are not.
func unprivileged(t testing.TB) *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		}
	}
	t.Skip("SKIPPED: PostgreSQL refuses to run as root, and there is no other user")
	return nil
}
