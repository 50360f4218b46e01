package terraform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Recover reads what a run in dir left behind when nobody was there to finish
// it: the newer of its state and its errored state. A directory without state,
// or none at all, gives an empty Result.
func Recover(dir string) (Result, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Result{}, nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("looking for a state: %w", err)
	}
	d := &directory{path: dir, root: root}
	defer d.close()
	state, _, _ := d.newest()
	if state == nil {
		return Result{}, nil
	}
	return ReadState(state)
}
