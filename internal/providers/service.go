package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// EnsureBuiltIn makes the built-in provider, the default one, and gives it its
// tags. It is safe on several replicas at once, which should have the same tags.
func (s *Service) EnsureBuiltIn(ctx context.Context, tags map[string]string) error {
	ensure := func(tx *store.Tx) error {
		p, err := tx.ProviderRef(berth.BuiltInProvider)
		if errors.Is(err, berth.NotFound) {
			return tx.InsertProvider(berth.Provider{ID: berth.NewID[berth.Provider](), Name: berth.BuiltInProvider, Default: true, Tags: tags, CreatedAt: tx.Now}, nil)
		}
		if err != nil || maps.Equal(p.Tags, tags) {
			return err
		}
		return tx.SetProviderTags(p.ID, tags)
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

// Resolve is the provider that somebody names for a build in an organization, by
// name or id; "" is the default one or, where the organization may not use that,
// its first. One that the organization may not use is answered like one that is
// not there.
func Resolve(q *store.Query, actor authz.Actor, o berth.OrganizationID, ref string) (berth.Provider, error) {
	p, err := q.ProviderFor(o, ref)
	switch {
	case errors.Is(err, berth.NotFound) && ref == "":
		return p, berth.InvalidField("provider", "the organization may use no workspace provider: an owner of the site allows one with berth organizations providers")
	case errors.Is(err, berth.NotFound):
		return p, berth.InvalidField("provider", "the organization has no workspace provider %q: leave it out for the first that it has, or ask an owner of the site to allow it", ref)
	case err != nil:
		return p, err
	}
	return p, authz.Check(actor, authz.Use, authz.In(authz.KindProvider, o), "the workspace provider "+p.Name)
}

// List is every provider that the actor may see, with its status, the default
// one first: all of them, or those that an organization of theirs may use.
func (s *Service) List(ctx context.Context, actor authz.Actor) (views []View, err error) {
	may, err := authz.List(actor, authz.KindProvider)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	err = s.db.Read(ctx, func(q *store.Query) error {
		ps, err := seen(q, may)
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

// seen is the visible providers: those that the visible organizations may use.
func seen(q *store.Query, may berth.Visible) ([]berth.Provider, error) {
	all, err := q.Providers()
	if err != nil || may.All {
		return all, err
	}
	mine := map[berth.ProviderID]bool{}
	for _, o := range may.Organizations {
		allowed, err := q.ProvidersOf(o)
		if err != nil {
			return nil, err
		}
		for _, p := range allowed {
			mine[p.ID] = true
		}
	}
	return slices.DeleteFunc(all, func(p berth.Provider) bool { return !mine[p.ID] }), nil
}
