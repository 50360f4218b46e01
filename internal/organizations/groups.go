package organizations

import (
	"context"
	"errors"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// NewGroup is what it takes to make a group.
type NewGroup struct {
	Name        string
	DisplayName string
	Allowance   berth.Allowance
}

// EditGroup is what to change of a group; what is nil stays.
type EditGroup struct {
	Name        *string
	DisplayName *string
	Allowance   *berth.Allowance
}

// maxAllowance keeps sums of allowances within what every database counts.
const maxAllowance = 1_000_000_000

// validateGroupName checks the name of a group that people or identity providers
// make.
func validateGroupName(name string) error {
	if err := berth.ValidateName("name", name); err != nil {
		return err
	}
	switch {
	case strings.EqualFold(name, berth.EveryoneGroup), strings.EqualFold(name, berth.PrebuildsGroup):
		return berth.InvalidField("name", "%q is a group that Berth itself keeps: choose another name", name)
	case berth.IsID(name):
		return berth.InvalidField("name", "%q looks like an id: choose a name", name)
	}
	return nil
}

func validateAllowance(a berth.Allowance) error {
	if a.Amount < 0 || a.Amount > maxAllowance {
		return berth.InvalidField("allowance", "an allowance is between 0 and %d, or unlimited", maxAllowance)
	}
	return nil
}

// allowed is an allowance in its one form: an unlimited one has no amount.
func allowed(a berth.Allowance) berth.Allowance {
	if a.Unlimited {
		a.Amount = 0
	}
	return a
}

// Groups is one page of the groups of an organization by name, Everyone among
// them, and where the next page begins.
func (s *Service) Groups(ctx context.Context, actor authz.Actor, ref, after string, limit int) (rows []GroupView, next string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, err := within(q, actor, authz.Read, authz.KindGroup, ref, "groups")
		if err != nil {
			return err
		}
		rows, next, err = byName(limit, func(n int) ([]GroupView, error) { return q.GroupPage(o.ID, after, n) },
			func(r GroupView) string { return r.Name })
		return err
	})
	return rows, next, err
}

// Group is one group by name or id.
func (s *Service) Group(ctx context.Context, actor authz.Actor, ref, group string) (r GroupView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		_, g, err := findGroup(q, actor, authz.Read, ref, group)
		if err != nil {
			return err
		}
		r, err = q.GroupRow(g)
		return err
	})
	return r, err
}

// findGroup is a group of an organization, if the actor may do the action to it.
func findGroup(q *store.Query, actor authz.Actor, action authz.Action, ref, group string) (o berth.Organization, g berth.Group, err error) {
	if o, err = within(q, actor, action, authz.KindGroup, ref, "groups"); err != nil {
		return o, g, err
	}
	g, err = q.GroupRef(o.ID, group)
	if errors.Is(err, berth.NotFound) {
		err = authz.Missing(actor, action, authz.KindGroup, "the group "+group)
	}
	return o, g, err
}

// CreateGroup makes a group in an organization.
func (s *Service) CreateGroup(ctx context.Context, actor authz.Actor, ref string, in NewGroup) (r GroupView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, err := within(&tx.Query, actor, authz.Create, authz.KindGroup, ref, "groups")
		if err != nil {
			return err
		}
		g := berth.Group{ID: berth.NewID[berth.Group](), OrganizationID: o.ID, Name: in.Name, DisplayName: strings.TrimSpace(in.DisplayName),
			Allowance: allowed(in.Allowance), Source: berth.SourceUser, CreatedAt: tx.Now, UpdatedAt: tx.Now}
		if err := validateGroup(g); err != nil {
			return err
		}
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
		r = GroupView{Group: g}
		row := audited(actor, "create", "group", o.ID, string(g.ID), g.Name)
		row.Changes = berth.Changes{}
		row.Changes.Set("display_name", "", g.DisplayName)
		row.Changes.Set("allowance", nil, told(g.Allowance))
		return tx.InsertAudit(row)
	})
	return r, err
}

func validateGroup(g berth.Group) error {
	if !g.Everyone() && g.Name != berth.PrebuildsGroup {
		if err := validateGroupName(g.Name); err != nil {
			return err
		}
	}
	if err := validateTexts(g.DisplayName, ""); err != nil {
		return err
	}
	return validateAllowance(g.Allowance)
}

// told is an allowance as the record tells it.
func told(a berth.Allowance) any {
	if a.Unlimited {
		return "unlimited"
	}
	return a.Amount
}

// kept is why a group that Berth itself keeps is not renamed, deleted or changed
// in its members; nil for others.
func kept(g berth.Group, what string) error {
	switch {
	case g.Everyone():
		return berth.Errorf(berth.Conflict, "Everyone is all members of the organization: it is not %s; its allowance and what is shared with it can be changed", what)
	case g.Name == berth.PrebuildsGroup:
		return berth.Errorf(berth.Conflict, "the group prebuilds is kept by Berth for its pools: it is not %s; its allowance can be changed", what)
	}
	return nil
}

// EditGroup changes the names and the allowance of a group.
func (s *Service) EditGroup(ctx context.Context, actor authz.Actor, ref, group string, e EditGroup) (r GroupView, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		o, g, err := findGroup(&tx.Query, actor, authz.Update, ref, group)
		if err != nil {
			return err
		}
		before, changes := g, berth.Changes{}
		if e.Name != nil && *e.Name != g.Name {
			if err := kept(g, "renamed"); err != nil {
				return err
			}
			if err := validateGroupName(*e.Name); err != nil {
				return err
			}
		}
		set(changes, "name", &g.Name, e.Name)
		set(changes, "display_name", &g.DisplayName, trimmed(e.DisplayName))
		if e.Allowance != nil {
			g.Allowance = allowed(*e.Allowance)
			changes.Set("allowance", told(before.Allowance), told(g.Allowance))
		}
		if len(changes) > 0 {
			if err := validateGroup(g); err != nil {
				return err
			}
			if err := tx.UpdateGroup(g); err != nil {
				return err
			}
			row := audited(actor, "edit", "group", o.ID, string(g.ID), before.Name)
			row.Changes = changes
			if err := tx.InsertAudit(row); err != nil {
				return err
			}
		}
		r, err = tx.GroupRow(g)
		return err
	})
	return r, err
}

// DeleteGroup removes a group: its members lose what was shared with it, and its
// allowance.
func (s *Service) DeleteGroup(ctx context.Context, actor authz.Actor, ref, group string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		o, g, err := findGroup(&tx.Query, actor, authz.Delete, ref, group)
		if err != nil {
			return err
		}
		if err := kept(g, "deleted"); err != nil {
			return err
		}
		if err := tx.DeleteGroup(g.ID); err != nil {
			return err
		}
		return tx.InsertAudit(audited(actor, "delete", "group", o.ID, string(g.ID), g.Name))
	})
}
