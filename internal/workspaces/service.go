package workspaces

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/machines"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db        *store.DB
	keys      *seal.Keys
	queue     *builds.Queue
	templates *templates.Service
	opt       Options
	static    map[string]string // environment of every build's plugins
}

// Options are what the service needs to know of its server.
type Options struct {
	AccessURL     string               // where people and agents reach the server
	HostProcesses bool                 // everybody's workspaces may be processes of the host, not only the first user's
	Credentials   *credentials.Service // what builds are told of the owner's; nil: nothing
	SignIns       SignIns              // what templates are told of how the owner signs in; nil: by password
	Machines      *machines.Verifier   // of the documents of clouds; nil: without certificates
	BuildTimeout  time.Duration        // the longest that a build may run; 0: 2 h

	// Pressed tells the owner that memory or a volume became too full; nil: they
	// are not told.
	Pressed func(tx *store.Tx, w berth.Workspace, p berth.Pressure) error

	// Recent is evidence of a workspace's use that may not be in the database
	// yet; nil: there is none.
	Recent func(id berth.WorkspaceID) []berth.Evidence
}

// New makes the service on an open database. It gives templates the environment
// of imports.
func New(db *store.DB, keys *seal.Keys, queue *builds.Queue, _ *accounts.Service, t *templates.Service, _ *providers.Service, opt Options) *Service {
	if opt.BuildTimeout == 0 {
		opt.BuildTimeout = 2 * time.Hour
	}
	if opt.Machines == nil {
		opt.Machines = &machines.Verifier{}
	}
	if opt.Recent == nil {
		opt.Recent = func(berth.WorkspaceID) []berth.Evidence { return nil }
	}
	s := &Service{db: db, keys: keys, queue: queue, templates: t, opt: opt, static: staticEnv(opt.AccessURL)}
	t.SetEnv(s.static)
	return s
}

// Watch gives a channel that is rung when something of the workspace changed,
// and what ends the watching. Rings are hints: look now and then all the same.
func (s *Service) Watch(id berth.WorkspaceID) (<-chan struct{}, func()) {
	return s.db.Waits(store.WorkspaceTopic(id))
}

// WatchBuild is Watch for a build and its log.
func (s *Service) WatchBuild(id berth.BuildID) (<-chan struct{}, func()) { return s.queue.Watch(id) }
