package agent

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOwnLogIsBoundedAndOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "berth-agent.log")
	l := openOwnLog(io.Discard, dir)
	line := []byte(strings.Repeat("x", 999) + "\n")
	for range 12 << 10 { // 12 MB
		if n, err := l.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) > maxOwnLog || !strings.HasPrefix(string(data), "The file began anew") {
		t.Errorf("%d bytes, %.40q, %v", len(data), data, err)
	}

	other := openOwnLog(io.Discard, dir) // while the first has its file
	runtime.KeepAlive(l)
	other.Write([]byte("second\n"))
	if data, _ := os.ReadFile(filepath.Join(dir, "berth-agent.2.log")); string(data) != "second\n" {
		t.Errorf("the second agent's log: %q", data)
	}

	trap := t.TempDir() // where somebody else laid links
	victim := filepath.Join(trap, "victim")
	os.WriteFile(victim, []byte("precious"), 0o600)
	os.Symlink(victim, filepath.Join(trap, "berth-agent.log"))
	os.Link(victim, filepath.Join(trap, "berth-agent.2.log"))
	openOwnLog(io.Discard, trap).Write([]byte("third\n"))
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("a link was followed: %q", data)
	}
	if data, _ := os.ReadFile(filepath.Join(trap, "berth-agent.3.log")); string(data) != "third\n" {
		t.Errorf("behind the links: %q", data)
	}

	if l := openOwnLog(io.Discard, "/dev/null/none"); l.file != nil {
		t.Error("a file where none can be")
	}
	full := &ownLog{out: io.Discard}
	if full.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Skip(err)
	}
	if n, err := full.Write(line); n != len(line) || err != nil {
		t.Errorf("a full disk: %d, %v", n, err)
	}
}
