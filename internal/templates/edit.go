package templates

import (
	"context"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/policies"
	"github.com/berthdev/berth/internal/store"
)

// Edit changes what is not nil.
type Edit struct {
	Name, DisplayName, Description, Icon, MaxShare *string
	Private                                        *bool // not for everybody in the organization
	Workspaces, WorkspacesPerUser                  *int  // most of them; 0: no limit
	Policy                                         PolicyEdit
	How                                            policies.How
}

// maxLimit is the highest limit that is one.
const maxLimit = 1_000_000

func (in Edit) validate() error {
	for _, f := range []struct {
		field string
		value *string
		most  int
	}{{"display_name", in.DisplayName, 64}, {"description", in.Description, 16 << 10}, {"icon", in.Icon, 1 << 10}} {
		if f.value != nil && len(*f.value) > f.most {
			return berth.InvalidField(f.field, "it is too long: at most %d characters", f.most)
		}
	}
	if in.Icon != nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(*in.Icon)), "javascript:") {
		return berth.InvalidField("icon", "give the path or URL of a picture")
	}
	if in.Name != nil {
		if err := berth.ValidateName("name", *in.Name); err != nil {
			return err
		}
	}
	for field, most := range map[string]*int{"limits.workspaces": in.Workspaces, "limits.workspaces_per_user": in.WorkspacesPerUser} {
		if most != nil && (*most < 0 || *most > maxLimit) {
			return berth.InvalidField(field, "it is a number of workspaces, at most %d; 0 is no limit", maxLimit)
		}
	}
	if in.MaxShare != nil {
		return berth.ValidateShare("max_share", berth.Share(*in.MaxShare))
	}
	return nil
}

// Edit changes the name of a template, how it is shown, how far its apps may be
// shared, how many workspaces it may have, and what it says about their lives. A dry run changes nothing, and
// answers the template as it would be.
func (s *Service) Edit(ctx context.Context, actor authz.Actor, organization, template string, in Edit) (v View, err error) {
	err = in.How.In(s.db)(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Update, organization, template)
		if err != nil {
			return err
		}
		if err := in.validate(); err != nil {
			return err
		}
		before := t
		t = in.applied(t)
		c := described(before, t)
		effects, err := s.editPolicy(tx, actor, before, t, in, c)
		if err != nil {
			return err
		}
		if !in.How.DryRun {
			if err := s.store(tx, actor, t, in, c); err != nil {
				return err
			}
		}
		r, err := tx.TemplateRow(t.ID)
		if v = viewOf(r); in.How.DryRun {
			v.Template = t
			if in.Private != nil {
				v.Private = *in.Private
			}
		}
		v.Effects = effects
		return err
	})
	return v, err
}

// applied is a template as the edit makes it.
func (in Edit) applied(t berth.Template) berth.Template {
	set(&t.Name, in.Name)
	set(&t.DisplayName, in.DisplayName)
	set(&t.Description, in.Description)
	set(&t.Icon, in.Icon)
	set(&t.Limits.Workspaces, in.Workspaces)
	set(&t.Limits.WorkspacesPerUser, in.WorkspacesPerUser)
	if in.MaxShare != nil {
		t.MaxShare = berth.Share(*in.MaxShare)
	}
	t.Policy = in.Policy.applied(t.Policy)
	return t
}

// described is what changes of a template but its policy.
func described(before, after berth.Template) berth.Changes {
	c := berth.Changes{}
	c.Set("name", before.Name, after.Name)
	c.Set("display_name", before.DisplayName, after.DisplayName)
	c.Set("description", before.Description, after.Description)
	c.Set("icon", before.Icon, after.Icon)
	c.Set("max_share", before.MaxShare, after.MaxShare)
	c.Set("limits.workspaces", before.Limits.Workspaces, after.Limits.Workspaces)
	c.Set("limits.workspaces_per_user", before.Limits.WorkspacesPerUser, after.Limits.WorkspacesPerUser)
	return c
}

// store writes what an edit makes of a template, all but its policy, and the
// record of it.
func (s *Service) store(tx *store.Tx, actor authz.Actor, t berth.Template, in Edit, c berth.Changes) error {
	if err := tx.DescribeTemplate(t); err != nil {
		return err
	}
	if in.Private != nil {
		if err := setPrivate(tx, actor, t, *in.Private); err != nil {
			return err
		}
	}
	if len(c) == 0 && in.Private != nil { // who may use it has a record of its own
		return nil
	}
	return audit(tx, actor, "edit", t, c, nil)
}
