package providers

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// EnsureBuiltIn makes the built-in provider, the default one. It is safe on
// several replicas at once.
func (s *Service) EnsureBuiltIn(ctx context.Context) error {
	ensure := func(tx *store.Tx) error {
		_, err := tx.ProviderRef(berth.BuiltInProvider)
		if errors.Is(err, berth.NotFound) {
			return tx.InsertProvider(berth.Provider{ID: berth.NewID[berth.Provider](), Name: berth.BuiltInProvider, Default: true, CreatedAt: tx.Now}, nil)
		}
		return err
	}
	err := s.db.Write(ctx, ensure)
	if errors.Is(err, berth.Conflict) { // another replica made it at this moment
		err = s.db.Write(ctx, ensure)
	}
	if err != nil {
		return fmt.Errorf("making the built-in provider: %w", err)
	}
	return nil
}

// Resolve is the provider that somebody names for a build, by name or id; "" is
// the default one.
func Resolve(q *store.Query, actor authz.Actor, ref string) (berth.Provider, error) {
	p, err := q.ProviderRef(ref)
	if errors.Is(err, berth.NotFound) {
		return p, berth.InvalidField("provider", "there is no workspace provider %q: leave it out for the default one", ref)
	}
	if err != nil {
		return p, err
	}
	return p, authz.Check(actor, authz.Use, authz.All(authz.KindProvider), "the workspace provider "+p.Name)
}

// List is every provider with its status, the default one first.
func (s *Service) List(ctx context.Context, actor authz.Actor) (views []View, err error) {
	if err := authz.Check(actor, authz.Read, authz.All(authz.KindProvider), "the list of workspace providers"); err != nil {
		return nil, err
	}
	now := time.Now()
	err = s.db.Read(ctx, func(q *store.Query) error {
		ps, err := q.Providers()
		if err != nil {
			return err
		}
		views = make([]View, len(ps))
		for i, p := range ps {
			runners, err := q.Runners(p.ID, now.Add(-quiet))
			if err != nil {
				return err
			}
			views[i] = view(p, runners, now)
		}
		return nil
	})
	return views, err
}
