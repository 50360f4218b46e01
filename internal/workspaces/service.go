package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct{ db *store.DB }

// Create says what workspace to make.
type Create struct {
	Name         string
	Owner        string // username; empty or "me": the actor
	Organization string // name or id; empty or "default": the default one
	Template     string // name or id
	Version      string // name or id; empty: the active one
	Provider     string // name or id; empty: the default one
	Parameters   map[string]string
	Preset       string // name; "none": no preset; empty: the default preset
	Reason       berth.Reason
}

// Create makes a workspace and queues its first build.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in Create) (View, error) {
	panic("not yet")
}

// Get is one workspace by id. Deleted ones are not found.
func (s *Service) Get(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (View, error) {
	panic("not yet")
}

// Find is one workspace by the name of its owner ("me": the actor) and its own.
func (s *Service) Find(ctx context.Context, actor authz.Actor, owner, name string) (View, error) {
	panic("not yet")
}

// List is one page of the workspaces that the actor may see, newest first, and
// where the next page begins ("" on the last). query filters:
// "owner:me status:running dev".
func (s *Service) List(ctx context.Context, actor authz.Actor, query, after string, limit int) ([]View, string, error) {
	panic("not yet")
}

// Rename changes the name. It is a conflict while a build is active.
func (s *Service) Rename(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (View, error) {
	panic("not yet")
}

// Watch gives a channel that is rung when something of the workspace changed,
// and what ends the watching. Rings are hints: look now and then all the same.
func (s *Service) Watch(id berth.WorkspaceID) (<-chan struct{}, func()) { panic("not yet") }

// BuildInput says what build to make.
type BuildInput struct {
	Transition   berth.Transition
	Version      string // name or id; start only
	Update       bool   // use the active version; start only
	Parameters   map[string]string
	Preset       string
	AllowDestroy []string // persistent addresses that this build may destroy
	Orphan       bool     // delete only: leave alone what was made
	Reason       berth.Reason
}

// Build queues a build of a workspace.
func (s *Service) Build(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, in BuildInput) (BuildView, error) {
	panic("not yet")
}

// Builds is one page of a workspace's builds, newest first.
func (s *Service) Builds(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, after string, limit int) ([]BuildView, string, error) {
	panic("not yet")
}

// BuildNumber is the workspace's build of a number.
func (s *Service) BuildNumber(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, number int) (BuildView, error) {
	panic("not yet")
}

// ListBuilds is one page of all builds that the actor may see, imports too,
// newest first. query filters: "status:pending provider:built-in".
func (s *Service) ListBuilds(ctx context.Context, actor authz.Actor, query, after string, limit int) ([]BuildView, string, error) {
	panic("not yet")
}

// GetBuild is one build, of a workspace or an import.
func (s *Service) GetBuild(ctx context.Context, actor authz.Actor, id berth.BuildID) (BuildView, error) {
	panic("not yet")
}

// Cancel ends a build: a pending one at once, a running one by interrupting
// Terraform, with force by killing it. expect, if given, is the status that the
// build must have.
func (s *Service) Cancel(ctx context.Context, actor authz.Actor, id berth.BuildID, force bool, expect berth.BuildStatus) (BuildView, error) {
	panic("not yet")
}

// Abandon gives up on a build whose runner is unreachable.
func (s *Service) Abandon(ctx context.Context, actor authz.Actor, id berth.BuildID) (BuildView, error) {
	panic("not yet")
}

// Logs is the build's log behind line after, at most limit lines.
func (s *Service) Logs(ctx context.Context, actor authz.Actor, id berth.BuildID, after int64, limit int) ([]berth.Log, error) {
	panic("not yet")
}

// WatchBuild is Watch for a build and its log.
func (s *Service) WatchBuild(id berth.BuildID) (<-chan struct{}, func()) { panic("not yet") }

// State is the workspace's current Terraform state, empty if there is none. It
// holds secrets and is audited.
func (s *Service) State(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) ([]byte, error) {
	panic("not yet")
}

// PushState makes state the current one: of the same lineage, with the next
// serial, while no build is active. The one before is kept.
func (s *Service) PushState(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, state []byte) (StateView, error) {
	panic("not yet")
}

// StateVersions lists the kept revisions of the state, newest first.
func (s *Service) StateVersions(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) ([]StateView, error) {
	panic("not yet")
}
