package sharing

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Workspace is a workspace as a resource, with who it is shared with. Shares do
// not count while its organization lets nobody share.
func Workspace(q *store.Query, w berth.Workspace) (authz.Resource, error) {
	grants, err := q.WorkspaceShares(w.ID)
	return of(w, grants...), err
}

func of(w berth.Workspace, grants ...berth.Grant) authz.Resource {
	on := authz.OfWorkspace(w.OwnerID, w.OrganizationID, grants...)
	on.Workspace = w.ID
	return on
}

// Check is authz.Check for a workspace. Shares are looked up only where they
// could matter: they add to what somebody may do, and take nothing away.
func Check(q *store.Query, actor authz.Actor, action authz.Action, w berth.Workspace, noun string) error {
	if authz.Can(actor, action, of(w)) {
		return nil
	}
	on, err := Workspace(q, w)
	if err != nil {
		return err
	}
	return authz.Check(actor, action, on, noun)
}

// Find is a living workspace by id, if the actor may do the action to it.
func Find(q *store.Query, actor authz.Actor, action authz.Action, id berth.WorkspaceID) (berth.Workspace, error) {
	const noun = "the workspace"
	missing := authz.Missing(actor, action, authz.KindWorkspace, noun)
	if !berth.IsID(string(id)) {
		return berth.Workspace{}, missing
	}
	w, err := q.Workspace(id)
	if errors.Is(err, berth.NotFound) || err == nil && !w.DeletedAt.IsZero() {
		return w, missing
	}
	if err != nil {
		return w, err
	}
	return w, Check(q, actor, action, w, noun)
}

// Template is a template as a resource, with who it is shared with.
func Template(q *store.Query, id berth.TemplateID, o berth.OrganizationID) (authz.Resource, error) {
	grants, err := q.Grants(store.TemplateGrants(id))
	return authz.OfTemplate(o, grants...), err
}
