package providers

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Service offers the use cases. It is safe for use by many goroutines.
type Service struct {
	db      *store.DB
	builtIn builtIn
}

// New makes the service on an open database.
func New(db *store.DB) *Service { return &Service{db: db} }

// Status is whether a provider can take builds.
type Status string

const (
	Pending Status = "pending" // no runner has called yet
	Ready   Status = "ready"
	Failing Status = "error" // its runners are silent, or say that they cannot
)

// View is a provider with what its runners last said.
type View struct {
	Provider berth.Provider
	Status   Status
	Reason   string // why it is not ready; a sentence with the cure
	Runners  int    // that called lately
	Slots    int    // of these
}

// EnsureBuiltIn makes the built-in provider, the default one. It is safe on
// several replicas at once.
func (s *Service) EnsureBuiltIn(ctx context.Context) error { panic("not yet") }

// BuiltInToken makes the token of this server's own runner. The one before
// stops working.
func (s *Service) BuiltInToken(ctx context.Context) (string, error) { panic("not yet") }

// Authenticate tells which provider a runner's token belongs to.
func (s *Service) Authenticate(ctx context.Context, token string) (berth.Provider, error) {
	panic("not yet")
}

// List is every provider with its status, the default one first.
func (s *Service) List(ctx context.Context, actor authz.Actor) ([]View, error) { panic("not yet") }
