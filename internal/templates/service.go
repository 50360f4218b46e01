package templates

import (
	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/builds"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db        *store.DB
	keys      *seal.Keys
	queue     *builds.Queue
	env       map[string]string
	unpacking chan struct{}
	guard     policies.Guard
	library   library
	teller    Teller // nil: nobody is told
}

// Teller tells people of what happens to templates, in the transaction of that.
type Teller interface {
	TemplateDeleted(tx *store.Tx, t berth.Template, by berth.UserID) error
}

// SetTeller gives who tells. Call it before the service is used.
func (s *Service) SetTeller(t Teller) { s.teller = t }

// New makes the service on an open database.
func New(db *store.DB, keys *seal.Keys, queue *builds.Queue) *Service {
	return &Service{db: db, keys: keys, queue: queue, unpacking: make(chan struct{}, uploads), guard: policies.Nobody{}}
}

// SetEnv gives what the plugins of every import get. Call it before the first
// import is taken; workspaces.New does.
func (s *Service) SetEnv(env map[string]string) { s.env = env }

// SetGuard gives who knows what an edit of a policy does to workspaces. Call it
// before the first request; the server does.
func (s *Service) SetGuard(g policies.Guard) { s.guard = g }
