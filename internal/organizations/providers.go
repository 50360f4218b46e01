package organizations

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Providers lists the workspace providers that an organization may use, the one
// first that is used where none is named.
func (s *Service) Providers(ctx context.Context, actor authz.Actor, ref string) (allowed []berth.Provider, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, err := Find(q, actor, authz.Read, ref)
		if err != nil {
			return err
		}
		allowed, err = q.ProvidersOf(o.ID)
		return err
	})
	return allowed, err
}

// AllowProvider lets an organization make workspaces and import templates on a
// workspace provider. Only who manages providers may: they cost something.
func (s *Service) AllowProvider(ctx context.Context, actor authz.Actor, ref, provider string) error {
	return s.changeProvider(ctx, actor, ref, provider, "allow", (*store.Tx).AllowProvider)
}

// DenyProvider takes that away. What is there already stays and can be built.
func (s *Service) DenyProvider(ctx context.Context, actor authz.Actor, ref, provider string) error {
	return s.changeProvider(ctx, actor, ref, provider, "deny", (*store.Tx).DenyProvider)
}

func (s *Service) changeProvider(ctx context.Context, actor authz.Actor, ref, provider, action string,
	change func(*store.Tx, berth.OrganizationID, berth.ProviderID) (bool, error)) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		o, err := within(&tx.Query, actor, authz.Update, authz.KindProvider, ref, "workspace providers")
		if err != nil {
			return err
		}
		p, err := tx.ProviderRef(provider)
		if errors.Is(err, berth.NotFound) || provider == "" {
			return authz.Hidden("the workspace provider " + provider)
		}
		if err != nil {
			return err
		}
		changed, err := change(tx, o.ID, p.ID)
		if err != nil || !changed {
			return err
		}
		row := audited(actor, action, "provider", o.ID, string(p.ID), p.Name)
		row.Detail = map[string]any{"organization": o.Name}
		return tx.InsertAudit(row)
	})
}
