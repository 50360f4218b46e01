package workspaces

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
)

// find is a living workspace by id, if the actor may do the action to it.
func find(q *store.Query, actor authz.Actor, action authz.Action, id berth.WorkspaceID) (berth.Workspace, error) {
	return sharing.Find(q, actor, action, id)
}

// findBuild is a build, if the actor may do the action to its workspace, or, of
// an import, change its template.
func findBuild(q *store.Query, actor authz.Actor, action authz.Action, id berth.BuildID) (store.BuildRow, error) {
	missing := authz.Missing(actor, action, authz.KindWorkspace, "the build")
	if !berth.IsID(string(id)) {
		return store.BuildRow{}, missing
	}
	r, err := q.BuildRow(id)
	if errors.Is(err, berth.NotFound) {
		return r, missing
	}
	if err != nil {
		return r, err
	}
	if r.On() == "" {
		on, err := sharing.Template(q, r.TemplateID, r.OrganizationID)
		if err != nil {
			return r, err
		}
		noun := "the build" // as for one that is not there, unless they know the template
		if authz.Can(actor, authz.Read, on) {
			noun = "the import of template " + r.Template
		}
		return r, authz.Check(actor, authz.Update, on, noun)
	}
	w := berth.Workspace{ID: r.On(), OwnerID: r.OwnerID, OrganizationID: r.OrganizationID}
	return r, sharing.Check(q, actor, action, w, "the build")
}

// mayChangeTemplate tells whether the actor may do what reaches behind the
// template's back: state, orphans, giving up on builds. They may see the thing.
func mayChangeTemplate(q *store.Query, actor authz.Actor, t berth.TemplateID, o berth.OrganizationID, what string) error {
	on, err := sharing.Template(q, t, o)
	if err != nil || authz.Can(actor, authz.Update, on) {
		return err
	}
	return berth.Errorf(berth.Forbidden, "%s needs the right to change the workspace's template: ask somebody with the role template-admin", what)
}
