package templates

import (
	"context"
	"io"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// View is a template as people see it.
type View struct {
	Template      berth.Template
	Organization  string // name
	ActiveVersion string // name; empty until one was imported
	Workspaces    int    // that are not deleted
	CreatedBy     string // username
}

// VersionView is a version as people see it. Lists leave out Version.Contents
// and Version.Variables; the values of sensitive variables are never shown.
type VersionView struct {
	Version   berth.Version
	Template  string      // name
	Active    bool        // the template's active version
	Build     berth.Build // its import
	CreatedBy string      // username
}

// Archive is an uploaded archive in its normal form.
type Archive struct {
	Hash  string // SHA-256, hex
	Files int
	Size  int // bytes of the normal form
}

// Upload reads a tar, plain or gzip, and stores it in normal form.
func (s *Service) Upload(ctx context.Context, actor authz.Actor, r io.Reader) (Archive, error) {
	panic("not yet")
}

// Push is a new version of a template.
type Push struct {
	Organization string // name or id; empty or "default": the default one
	Template     string // name (made when new) or id
	Archive      string // hash that Upload gave
	Name         string // of the version; made up when empty
	Message      string
	Variables    map[string]string
	Activate     bool   // make it the active version when the import succeeds
	Provider     string // name or id of the workspace provider that imports it; empty: the default one
}

// Push makes a version and queues its import.
func (s *Service) Push(ctx context.Context, actor authz.Actor, in Push) (VersionView, error) {
	panic("not yet")
}

// List is one page of the templates that the actor may see, oldest first, and
// where the next page begins ("" on the last). organization is a name or id;
// empty means all.
func (s *Service) List(ctx context.Context, actor authz.Actor, organization, after string, limit int) ([]View, string, error) {
	panic("not yet")
}

// Get is one template by name or id.
func (s *Service) Get(ctx context.Context, actor authz.Actor, organization, template string) (View, error) {
	panic("not yet")
}

// Edit changes what is not nil.
type Edit struct{ DisplayName, Description, Icon *string }

// Edit changes how a template is shown.
func (s *Service) Edit(ctx context.Context, actor authz.Actor, organization, template string, in Edit) (View, error) {
	panic("not yet")
}

// Delete removes a template. It is a conflict while it has workspaces.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, organization, template string) error {
	panic("not yet")
}

// Versions is one page of a template's versions, newest first.
func (s *Service) Versions(ctx context.Context, actor authz.Actor, organization, template, after string, limit int) ([]VersionView, string, error) {
	panic("not yet")
}

// Version is one version by name or id; "active" is the active one.
func (s *Service) Version(ctx context.Context, actor authz.Actor, organization, template, version string) (VersionView, error) {
	panic("not yet")
}

// Activate makes a version the active one, from which workspaces are made.
func (s *Service) Activate(ctx context.Context, actor authz.Actor, organization, template, version string) (VersionView, error) {
	panic("not yet")
}

// Archive is a version's archive, a plain tar.
func (s *Service) Archive(ctx context.Context, actor authz.Actor, organization, template, version string) ([]byte, error) {
	panic("not yet")
}

// RunnerArchive is an archive for a runner of a provider: not_found unless a
// build of that provider's needs it.
func (s *Service) RunnerArchive(ctx context.Context, provider berth.ProviderID, hash string) ([]byte, error) {
	panic("not yet")
}

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct{ db *store.DB }
