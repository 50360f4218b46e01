package warm

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A set's directory belongs to the user of builds, some of whose processes may
// still run.
func TestPlantedLeasesLeadNowhere(t *testing.T) {
	t.Parallel()
	s := newStable(t, nil)
	first := s.take("a", "one")
	s.Return("a", true)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	lease := filepath.Join(s.o.Dir, first.Set, LeaseName)
	if err := os.Symlink(victim, lease); err != nil {
		t.Fatal(err)
	}
	s.take("b", "one")
	if text, _ := os.ReadFile(victim); string(text) != "mine" {
		t.Errorf("a file of the runner's user was overwritten: %q", text)
	}
	os.Remove(lease)
	if err := os.Symlink(victim, lease); err != nil {
		t.Fatal(err)
	}
	if got := Left(s.o.Dir)[first.Set]; got != "" {
		t.Errorf("a file of the runner's user was read: %q", got)
	}
	os.Remove(lease)
	if err := syscall.Mkfifo(lease, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Left(s.o.Dir)[first.Set]; got != "" { // and it does not wait for a writer
		t.Error(got)
	}
}
