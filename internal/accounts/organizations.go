package accounts

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// EditOrganization is what to change of an organization; what is nil stays.
type EditOrganization struct {
	ConnectStarts *bool // connections may start stopped workspaces that let them
	IdleCounts    *bool // an open and idle connection is activity
}

// EditOrganization changes the settings of the organization of a name or id.
func (s *Service) EditOrganization(ctx context.Context, actor authz.Actor, ref string, e EditOrganization) (o berth.Organization, err error) {
	noun := "the organization " + ref
	if actor.Anonymous() {
		return o, authz.Check(actor, authz.Update, authz.All(authz.KindOrganization), noun)
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, err = tx.OrganizationRef(ref)
		if errors.Is(err, berth.NotFound) {
			return authz.Hidden(noun)
		}
		if err != nil {
			return err
		}
		if err := authz.Check(actor, authz.Update, authz.OfOrganization(o.ID), noun); err != nil {
			return err
		}
		detail := e.apply(&o)
		if len(detail) == 0 {
			return nil
		}
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "edit", Kind: "organization", TargetID: string(o.ID), TargetName: o.Name, Detail: detail})
	})
	return o, err
}

// apply makes the changes and gives those that are ones.
func (e EditOrganization) apply(o *berth.Organization) map[string]any {
	detail := map[string]any{}
	if e.ConnectStarts != nil && *e.ConnectStarts != o.ConnectStarts {
		o.ConnectStarts = *e.ConnectStarts
		detail["connect_starts"] = o.ConnectStarts
	}
	if e.IdleCounts != nil && *e.IdleCounts != o.IdleCounts {
		o.IdleCounts = *e.IdleCounts
		detail["idle_counts"] = o.IdleCounts
	}
	return detail
}
