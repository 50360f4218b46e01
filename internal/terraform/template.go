package terraform

import (
	"errors"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
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

// checkBackend refuses a template that keeps its state elsewhere: every
// workspace's state is ours to keep, and two workspaces of one template would
// share theirs.
func checkBackend(m source.Module) error {
	for _, b := range m.Of("terraform", "") {
		content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
			{Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"},
		}})
		for _, inner := range content.Blocks {
			return &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid,
				"%sthe template has a %s block; remove it: Berth keeps the state of every workspace itself", source.Place(&inner.DefRange), inner.Type)}
		}
	}
	return nil
}
