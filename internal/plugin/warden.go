package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berthdev/berth/internal/warm"
)

// WardenCommand is the argument with which berth-plugin sees to the end of plugins
// whose runner was killed.
const WardenCommand = "warden"

// wardenMain is `berth-plugin warden SETS`: when its standard input ends, which is
// when the runner does, it ends the plugins below SETS that no build uses.
func wardenMain(args []string, in io.Reader) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: berth-plugin warden SETS")
		return 2
	}
	_, _ = io.Copy(io.Discard, in)
	entries, err := os.ReadDir(args[0])
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if _, err := os.Lstat(filepath.Join(args[0], e.Name(), warm.LeaseName)); errors.Is(err, fs.ErrNotExist) {
			_ = EndWarm(context.Background(), e.Name())
		}
	}
	return 0
}
