package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/test/harness"
)

// Metadata is shown while it is watched, by several at once and over a restart
// of the server, and nothing of it reaches the server's disk.
func TestMetadata(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	s := harness.Start(t, harness.Options{})
	text, err := os.ReadFile(filepath.Join(starter("process"), "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	const block = `
  metadata {
    key          = "mark"
    display_name = "Mark"
    script       = "echo mark-$((40+2))-$(date +%s%N)"
    interval     = 1
    timeout      = 1
  }
  metadata {
    key      = "bad"
    script   = "exit 3"
    interval = 5
    timeout  = 1
  }
`
	head := `resource "coder_agent" "main" {`
	if !strings.Contains(string(text), head) {
		t.Fatal("the starter template has no agent of that name")
	}
	s.Template("meta", map[string]string{"main.tf": strings.Replace(string(text), head, head+block, 1)})
	s.Berth("create", "hello", "-t", "meta", "-y")

	var values []api.MetadataValue
	var list struct{ Items []api.MetadataValue }
	out := s.Berth("metadata", "hello", "--json")
	if json.Unmarshal([]byte(out), &list); list.Items != nil {
		values = list.Items
	} else if err := json.Unmarshal([]byte(out), &values); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(values) < 2 || !strings.HasPrefix(values[0].Value, "mark-42-") || values[0].DisplayName != "Mark" || !strings.Contains(values[1].Error, "exit status 3") {
		t.Fatalf("%s", out)
	}
	if table := s.Berth("metadata", "hello"); !strings.Contains(table, "Mark") || !strings.Contains(table, "mark-42-") {
		t.Errorf("%s", table)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen [3]lockedBuffer
	for i := range seen {
		cmd := exec.CommandContext(ctx, harness.Bin(t, "berth"), "metadata", "hello", "--watch")
		cmd.Env, cmd.Stdout, cmd.Stderr = s.Environ(), &seen[i], &seen[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cancel()
	}
	moves := func(what string) {
		t.Helper()
		for i := range seen {
			before := strings.Count(seen[i].String(), "mark-42")
			harness.Eventually(t, 40*time.Second, func() string {
				if n := strings.Count(seen[i].String(), "mark-42"); n < before+2 {
					return what + ", a watcher sees " + seen[i].String()
				}
				return ""
			})
		}
	}
	moves("at first")
	s.Signal(syscall.SIGKILL)
	s.Run()
	moves("after a restart")
	cancel()

	filepath.WalkDir(s.Data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.Contains(d.Name(), ".db") {
			return nil
		}
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte("mark-42")) {
			t.Errorf("%s holds a value of metadata", path)
		}
		return nil
	})
	found, _ := filepath.Glob(filepath.Join(s.Data, "db", "berth.db*"))
	if len(found) == 0 {
		t.Error("there is no database where it was looked for")
	}
}
