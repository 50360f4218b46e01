package templates

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// View is a template as people see it.
type View struct {
	Template      berth.Template
	Organization  string // name
	ActiveVersion string // name; empty until one was imported
	Workspaces    int    // that are not deleted
	CreatedBy     string // username
	Private       bool   // not for everybody in the organization

	Effects *berth.Effects // of an edit of the policy, on the workspaces that are there
}

func viewOf(r store.TemplateRow) View {
	return View{Template: r.Template, Organization: r.Organization, ActiveVersion: r.ActiveVersion, Workspaces: r.Workspaces, CreatedBy: r.CreatedByName, Private: r.Private}
}

// Find is a living template by name or id in an organization by name or id, if
// the actor may do the action to it. Nothing tells apart what is not there and
// what the actor may not know of.
func Find(q *store.Query, actor authz.Actor, action authz.Action, organization, template string) (berth.Template, error) {
	noun := "template " + template
	o, err := q.OrganizationRef(organization)
	if err != nil {
		return berth.Template{}, hide(actor, action, err, noun)
	}
	t, err := q.TemplateRef(o.ID, template)
	if err != nil {
		return berth.Template{}, hide(actor, action, err, noun)
	}
	on, err := sharing.Template(q, t.ID, t.OrganizationID)
	if err != nil {
		return t, err
	}
	return t, authz.Check(actor, action, on, noun)
}

// hide makes the store's not_found the same as that of a thing that may not be
// seen.
func hide(actor authz.Actor, action authz.Action, err error, noun string) error {
	if !errors.Is(err, berth.NotFound) {
		return err
	}
	return authz.Missing(actor, action, authz.KindTemplate, noun)
}

// List is one page of the templates that the actor may see, oldest first, and
// where the next page begins ("" on the last). organization is a name or id;
// empty means all.
func (s *Service) List(ctx context.Context, actor authz.Actor, organization, after string, limit int) ([]View, string, error) {
	visible, err := authz.List(actor, authz.KindTemplate)
	if err != nil {
		return nil, "", err
	}
	page, err := store.NewPage(after, limit)
	if err != nil {
		return nil, "", err
	}
	var views []View
	var next string
	err = s.db.Read(ctx, func(q *store.Query) error {
		o, err := listed(q, actor, organization)
		if err != nil {
			return err
		}
		rows, n, err := q.TemplatePage(visible, o, page)
		views, next = make([]View, len(rows)), n
		for i, r := range rows {
			views[i] = viewOf(r)
		}
		return err
	})
	return views, next, err
}

// listed is the organization whose templates a list shows; "" means all.
func listed(q *store.Query, actor authz.Actor, ref string) (berth.OrganizationID, error) {
	if ref == "" {
		return "", nil
	}
	noun := "organization " + ref
	o, err := q.OrganizationRef(ref)
	if err != nil {
		return "", hide(actor, authz.Read, err, noun)
	}
	return o.ID, authz.Check(actor, authz.Read, authz.OfOrganization(o.ID), noun)
}

// Get is one template by name or id.
func (s *Service) Get(ctx context.Context, actor authz.Actor, organization, template string) (v View, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := Find(q, actor, authz.Read, organization, template)
		if err != nil {
			return err
		}
		r, err := q.TemplateRow(t.ID)
		v = viewOf(r)
		return err
	})
	return v, err
}

// Delete removes a template. It is a conflict while it has workspaces.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, organization, template string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		t, err := Find(&tx.Query, actor, authz.Delete, organization, template)
		if err != nil {
			return err
		}
		left, err := some(func(n int) ([]string, error) { return tx.WorkspacesOf(t.ID, n) })
		if err != nil {
			return err
		}
		if left != "" {
			return berth.Errorf(berth.Conflict, "the template %s still has workspaces (%s): delete them first", t.Name, left)
		}
		if s.teller != nil {
			if err := s.teller.TemplateDeleted(tx, t, actor.UserID); err != nil {
				return err
			}
		}
		if err := tx.DeleteTemplate(t.ID); err != nil {
			return err
		}
		c := berth.Changes{}
		c.Fill(false, map[string]any{"name": t.Name, "display_name": t.DisplayName, "description": t.Description})
		return audit(tx, actor, "delete", t, c, nil)
	})
}

func audit(tx *store.Tx, actor authz.Actor, action string, t berth.Template, changes berth.Changes, detail map[string]any) error {
	return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: "template", OrganizationID: t.OrganizationID,
		TargetID: string(t.ID), TargetName: t.Name, Changes: changes, Detail: detail})
}
