package terraform

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
	"github.com/berthdev/berth/internal/source"
)

// readTemplate parses the template's root, which comes first, and its
// installed modules.
func readTemplate(dir string) ([]source.Module, error) {
	all, err := source.Read(dir)
	return all, ofTemplate(err)
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
