package terraform

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berthdev/berth"
)

// A seat comes out of a directory that belongs to the user of builds.
func TestPlantedSeatsLeadNowhere(t *testing.T) {
	t.Parallel()
	victim, template, seats := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(template, "evil"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(t.TempDir(), "build"), Seat: filepath.Join(seats, "seat"), Installation: Installation{Dir: template},
		Transition: berth.Start, State: []byte(`{"version":4}`), As: &As{UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}}
	if err := os.Symlink(victim, o.Seat); err != nil {
		t.Fatal(err)
	}
	if d, err := prepare(o, nil); err == nil {
		d.close()
		t.Error("a link was taken for a working directory")
	}
	if left, _ := os.ReadDir(victim); len(left) > 0 {
		t.Errorf("files were written where a link led: %v", left)
	}
	if err := os.Mkdir(o.Seat, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := prepare(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}
