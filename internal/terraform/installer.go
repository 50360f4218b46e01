package terraform

import (
	"context"
	"io"

	"github.com/berthdev/berth"
)

// Installer makes installations: template archives with their plugins and
// modules resolved.
type Installer struct {
	Engine Engine
	// Mirror is a directory of unpacked plugins, or several, separated like PATH.
	Mirror string
	// Dir keeps the installations.
	Dir string
	As  *As
}

// Installation is a template's archive, unpacked, with links to its plugins
// and copies of its modules. It is read-only and shared by builds.
type Installation struct {
	Dir    string `json:"dir"`
	Mirror string `json:"mirror"`
}

// Ensure gives the installation of the archive with this hash and makes it
// first when there is none for the present plugins. archive is opened only
// then; it is a tar as internal/templates normalises it. Two calls at once, in
// one process or several, are safe.
func (i *Installer) Ensure(ctx context.Context, hash string, archive func(context.Context) (io.ReadCloser, error), log func(berth.Log)) (Installation, error) {
	panic("not yet")
}
