package templates

import (
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db        *store.DB
	keys      *seal.Keys
	queue     *builds.Queue
	opt       Options
	unpacking chan struct{}
}

// Options are what the service needs to know of its server.
type Options struct {
	// Env is what every import's plugins get: the server's URL and the agents'
	// init scripts. See workspaces.Service.PluginEnv.
	Env map[string]string
}

// New makes the service on an open database.
func New(db *store.DB, keys *seal.Keys, queue *builds.Queue, opt Options) *Service {
	return &Service{db: db, keys: keys, queue: queue, opt: opt, unpacking: make(chan struct{}, uploads)}
}
