package organizations

import (
	"context"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// NewOrganization is what it takes to make an organization. What is not said is as in every
// new one: connections start workspaces, sharing is on, there are no limits.
type NewOrganization struct{ Name, DisplayName, Description string }

// Create makes an organization, which nobody is a member of at first.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in NewOrganization) (o berth.Organization, err error) {
	if err := authz.Barred(actor, authz.Create, authz.KindOrganization); err != nil {
		return o, err
	}
	if !authz.Can(actor, authz.Create, authz.All(authz.KindOrganization)) {
		return o, berth.Errorf(berth.Forbidden, "organizations are made by owners of the site: ask one of them")
	}
	o = berth.Organization{ID: berth.NewID[berth.Organization](), Name: in.Name,
		DisplayName: strings.TrimSpace(in.DisplayName), Description: strings.TrimSpace(in.Description),
		ConnectStarts: true, Sharing: true, AutostartDays: berth.EveryDay, AutostartUsedWithin: berth.DefaultUsedWithin, AutoOffByUser: true}
	if err := validate(o); err != nil {
		return o, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o.CreatedAt, o.UpdatedAt = tx.Now, tx.Now
		if err := tx.InsertOrganization(o); err != nil {
			return err
		}
		row := audited(actor, "create", "organization", o.ID, string(o.ID), o.Name)
		row.Changes = berth.Changes{}
		row.Changes.Set("display_name", "", o.DisplayName)
		row.Changes.Set("description", "", o.Description)
		return tx.InsertAudit(row)
	})
	return o, err
}

// Delete removes an organization with its members and groups. It is a conflict
// while it has workspaces or templates, and of the default one always.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		o, err := Find(&tx.Query, actor, authz.Delete, ref)
		if err != nil {
			return err
		}
		if o.Default {
			return berth.Errorf(berth.Conflict, "%s is the default organization, which every installation has: it can be renamed, not deleted", o.Name)
		}
		const shown = 3
		workspaces, templates, err := tx.LeftIn(o.ID, shown+1)
		if err != nil {
			return err
		}
		var left []string
		for _, l := range []struct {
			noun  string
			names []string
		}{{"workspaces", workspaces}, {"templates", templates}} {
			if len(l.names) > 0 {
				left = append(left, l.noun+" ("+some(l.names, shown)+")")
			}
		}
		if len(left) > 0 {
			return berth.Errorf(berth.Conflict, "the organization %s still has %s: delete them first", o.Name, strings.Join(left, " and "))
		}
		if err := tx.DeleteOrganization(o); err != nil {
			return err
		}
		return tx.InsertAudit(audited(actor, "delete", "organization", o.ID, string(o.ID), o.Name))
	})
}

// some lists at most n names and says when there are more.
func some(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
