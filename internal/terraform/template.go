package terraform

import (
	"errors"
	"sync"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
	"github.com/berthdev/berth/internal/source"
)

// readTemplate parses the template's root, which comes first, and its
// installed modules.
func readTemplate(dir string) ([]source.Module, error) {
	lastRead.Lock()
	defer lastRead.Unlock()
	if lastRead.dir == dir {
		return lastRead.modules, nil
	}
	all, err := source.Read(dir)
	if err == nil {
		lastRead.dir, lastRead.modules = dir, all
	}
	return all, ofTemplate(err)
}

// lastRead is the template that was read last: a build asks for it more than
// once, and an installation never changes.
var lastRead struct {
	sync.Mutex
	dir     string
	modules []source.Module
}

// readRoot parses the template's root alone.
func readRoot(dir string) (source.Module, error) {
	m, err := source.ReadModule(dir, ".")
	return m, ofTemplate(err)
}

// ofTemplate makes what is wrong with a template's files an error of the build.
func ofTemplate(err error) error {
	if errors.Is(err, berth.Invalid) {
		return &RunError{Code: berth.FailedTerraform, Err: err}
	}
	return err
}

// checkBackend refuses a template that keeps its state elsewhere.
func checkBackend(m source.Module) error { return ofTemplate(lint.Problem(lint.Elsewhere(m))) }
