package templates

import (
	"context"
	"slices"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// Access lists who may use or manage a template besides those whose role says
// so, for who may change that.
func (s *Service) Access(ctx context.Context, actor authz.Actor, organization, template string) (rows []sharing.Row, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := Find(q, actor, authz.Share, organization, template)
		if err != nil {
			return err
		}
		rows, err = sharing.List(q, thing(t))
		return err
	})
	return rows, err
}

// Grant lets users and groups of a template's organization use or manage it, all
// of them or none.
func (s *Service) Grant(ctx context.Context, actor authz.Actor, organization, template string, wanted []sharing.Share) (rows []sharing.Row, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Share, organization, template)
		if err != nil {
			return err
		}
		if err := sharing.Put(tx, actor, thing(t), wanted); err != nil {
			return err
		}
		rows, err = sharing.List(&tx.Query, thing(t))
		return err
	})
	return rows, err
}

// Revoke ends what Grant allowed. Workspaces that were made from the template
// stay.
func (s *Service) Revoke(ctx context.Context, actor authz.Actor, organization, template string, users, groups []string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Share, organization, template)
		if err != nil {
			return err
		}
		return sharing.Remove(tx, actor, thing(t), users, groups)
	})
}

// thing is a template to somebody who may share it, who gives all that there is.
func thing(t berth.Template) sharing.Thing {
	return sharing.Thing{Kind: "template", ID: string(t.ID), Name: t.Name, Organization: t.OrganizationID, Manages: true, Shares: true}
}

// setPrivate keeps a template from, or opens it to, all members of its
// organization. It takes the right to share it.
func setPrivate(tx *store.Tx, actor authz.Actor, t berth.Template, private bool) error {
	on, err := sharing.Template(&tx.Query, t.ID, t.OrganizationID)
	if err != nil {
		return err
	}
	everyone := berth.Grantee{Kind: berth.GranteeGroup, ID: string(berth.EveryoneOf(t.OrganizationID))}
	open := slices.ContainsFunc(on.Grants, func(g berth.Grant) bool { return g.To == everyone })
	if open != private {
		return nil
	}
	if err := authz.Check(actor, authz.Share, on, "template "+t.Name); err != nil {
		return err
	}
	if private {
		return sharing.Remove(tx, actor, thing(t), nil, []string{everyone.ID})
	}
	return sharing.Put(tx, actor, thing(t), []sharing.Share{{Group: everyone.ID, Role: berth.GrantUse}})
}
