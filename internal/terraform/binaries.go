package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth"
)

// Binary is the executable of a plugin in an installation.
type Binary struct {
	Source string // registry.terraform.io/coder/coder
	Path   string // with all links resolved
}

// Binaries lists the plugins that builds of an installation start.
func (i Installation) Binaries() ([]Binary, error) {
	plugins, _, err := resolved(i.Dir)
	if err != nil {
		return nil, err
	}
	list := make([]Binary, 0, len(plugins))
	for _, p := range plugins {
		path, err := i.binary(p)
		if err != nil {
			return nil, err
		}
		list = append(list, Binary{Source: p.Source, Path: path})
	}
	return list, nil
}

// binary finds the executable of a plugin as terraform does: by how its name begins.
func (i Installation) binary(p berth.Plugin) (string, error) {
	dir := filepath.Join(i.Dir, ".terraform", "providers", filepath.FromSlash(p.Source), p.Version, platform)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking for the plugin %s: %w", p.Source, err)
	}
	prefix := "terraform-provider-" + p.Source[strings.LastIndexByte(p.Source, '/')+1:]
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			return filepath.EvalSymlinks(filepath.Join(dir, e.Name()))
		}
	}
	return "", berth.Errorf(berth.Unavailable, "the plugin %s has no executable in the mirror", p.Source)
}
