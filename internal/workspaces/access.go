package workspaces

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

func resource(w berth.Workspace) authz.Resource {
	return authz.OfWorkspace(w.OwnerID, w.OrganizationID)
}

// find is a living workspace by id, if the actor may do the action to it.
func find(q *store.Query, actor authz.Actor, action authz.Action, id berth.WorkspaceID) (berth.Workspace, error) {
	if actor.Anonymous() {
		return berth.Workspace{}, authz.Check(actor, action, authz.All(authz.KindWorkspace), "the workspace")
	}
	if !berth.IsID(string(id)) {
		return berth.Workspace{}, authz.Hidden("the workspace")
	}
	w, err := q.Workspace(id)
	if errors.Is(err, berth.NotFound) || err == nil && !w.DeletedAt.IsZero() {
		return w, authz.Hidden("the workspace")
	}
	if err != nil {
		return w, err
	}
	return w, authz.Check(actor, action, resource(w), "the workspace")
}

// findBuild is a build, if the actor may do the action to its workspace, or, of
// an import, change its template.
func findBuild(q *store.Query, actor authz.Actor, action authz.Action, id berth.BuildID) (store.BuildRow, error) {
	if actor.Anonymous() {
		return store.BuildRow{}, authz.Check(actor, action, authz.All(authz.KindWorkspace), "the build")
	}
	if !berth.IsID(string(id)) {
		return store.BuildRow{}, authz.Hidden("the build")
	}
	r, err := q.BuildRow(id)
	if errors.Is(err, berth.NotFound) {
		return r, authz.Hidden("the build")
	}
	if err != nil {
		return r, err
	}
	if r.WorkspaceID == "" {
		return r, authz.Check(actor, authz.Update, authz.OfTemplate(r.OrganizationID), "the import of template "+r.Template)
	}
	return r, authz.Check(actor, action, authz.OfWorkspace(r.OwnerID, r.OrganizationID), "the build")
}

// mayChangeTemplate tells whether the actor may do what reaches behind the
// template's back: state, orphans, giving up on builds. They may see the thing.
func mayChangeTemplate(actor authz.Actor, o berth.OrganizationID, what string) error {
	if authz.Can(actor, authz.Update, authz.OfTemplate(o)) {
		return nil
	}
	return berth.Errorf(berth.Forbidden, "%s needs the right to change the workspace's template: ask somebody with the role template-admin", what)
}

func audit(tx *store.Tx, actor authz.Actor, action string, w berth.Workspace, detail map[string]any) error {
	return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: action, Kind: "workspace", TargetID: string(w.ID), TargetName: w.Name, Detail: detail})
}
