package workspaces

import (
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// versionFor is the version that a build uses: the named one, the active one for
// an update and where a rule says so, else that of the last build that had an
// effect, so that a refused one does not stick. ruled tells that a rule chose
// another one than that.
func versionFor(tx *store.Tx, actor authz.Actor, w berth.Workspace, t berth.Template, base berth.Build, in BuildInput) (v berth.Version, ruled bool, err error) {
	switch {
	case in.Version != "":
		if v, err = usable(tx, t, in.Version); err == nil {
			err = mayUse(&tx.Query, actor, t, v)
		}
		return v, false, err
	case in.Update:
		v, err = usable(tx, t, templates.Active)
		return v, false, err
	case in.Transition == berth.Start && takesActive(w, t) && base.VersionID != t.ActiveVersionID:
		v, err = usable(tx, t, templates.Active)
		return v, true, err
	}
	v, err = tx.Version(base.VersionID)
	return v, false, err
}

// takesActive tells whether starts of a workspace take the active version also
// when nobody asks for it.
func takesActive(w berth.Workspace, t berth.Template) bool {
	return t.ActiveVersionID != "" && (t.Policy.RequireActive || w.AutomaticUpdates == berth.UpdatesAlways)
}

// mayUse refuses an old version where the template wants its active one, but to
// those who may change the template. What is no start uses what there is.
func mayUse(q *store.Query, actor authz.Actor, t berth.Template, v berth.Version) error {
	if !t.Policy.RequireActive || v.ID == t.ActiveVersionID {
		return nil
	}
	on, err := sharing.Template(q, t.ID, t.OrganizationID)
	if err != nil || authz.Can(actor, authz.Update, on) {
		return err
	}
	return berth.Errorf(berth.Forbidden, "the template %s wants its active version: leave %s out, or ask somebody with the role template-admin", t.Name, v.Name)
}

// unanswered says of a start that a rule put on the active version, and that
// lacks an answer to what that asks, how to give it.
func unanswered(err error, ruled bool, w berth.Workspace, v berth.Version) error {
	var e *berth.Error
	if !ruled || !errors.As(err, &e) || e.Code != berth.Invalid {
		return err
	}
	return berth.Errorf(berth.Invalid, "starts of %s take the active version %s of its template, and an answer to what that asks is missing or wrong (%s: %s): give it with berth update %s",
		w.Name, v.Name, e.Field, e.Message, w.Name)
}

// undeprecated refuses new workspaces of a template that is on its way out.
func undeprecated(t berth.Template) error {
	if t.Policy.Deprecated == "" {
		return nil
	}
	return berth.InvalidField("template", "the template %s is deprecated (%s): choose another one, see berth templates list", t.Name, t.Policy.Deprecated)
}

// interruptible refuses to cancel a build that runs where the template does not
// let people do that, but to those who may change the template.
func interruptible(q *store.Query, actor authz.Actor, r store.BuildRow) error {
	if r.StartedAt.IsZero() || !r.Active() {
		return nil
	}
	t, err := q.Template(r.TemplateID)
	if err != nil || t.Policy.AllowUserCancel {
		return err
	}
	on, err := sharing.Template(q, t.ID, t.OrganizationID)
	if err != nil || authz.Can(actor, authz.Update, on) {
		return err
	}
	return berth.Errorf(berth.Forbidden, "builds of the template %s are not canceled once they run: wait until this one has ended, or ask somebody with the role template-admin", t.Name)
}
