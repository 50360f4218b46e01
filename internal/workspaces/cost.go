package workspaces

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// CostInput is a start that somebody thinks of.
type CostInput struct {
	Organization string // name or id
	Template     string // name or id
	Version      string // name, id or active
	Preset       string // as for Create and Build
	Owner        string // username; empty or "me": the actor. Of a new workspace
	Workspace    berth.WorkspaceID
	Answers      bool // of a workspace: with other answers than it has
	Restart      bool // of a workspace: it is stopped first
}

// Cost tells what a start is likely to cost its owner, of what.
func (s *Service) Cost(ctx context.Context, actor authz.Actor, in CostInput) (e quota.Estimate, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := templates.Find(q, actor, authz.Read, in.Organization, in.Template)
		if err != nil {
			return err
		}
		v, err := templates.FindVersion(q, t, in.Version)
		if err != nil {
			return err
		}
		preset, err := parameters.ChoosePreset(v.Contents.Presets, in.Preset, in.Workspace == "")
		if err != nil {
			return err
		}
		a := quota.Asked{Organization: t.OrganizationID, Version: v.ID, Preset: preset.Name, Answers: in.Answers, Restart: in.Restart}
		if in.Workspace != "" {
			err = ofWorkspace(q, actor, t, in, &a)
		} else {
			a.Owner, err = spender(q, actor, in.Owner, t.OrganizationID)
		}
		if err != nil {
			return err
		}
		if e, err = quota.Foresee(q, actor, a); err != nil || in.Workspace != "" {
			return err
		}
		return e.Room(q, actor, t, a.Owner)
	})
	return e, err
}

// ofWorkspace adds what is known of the workspace that is to be started.
func ofWorkspace(q *store.Query, actor authz.Actor, t berth.Template, in CostInput, a *quota.Asked) (err error) {
	if a.Workspace, err = sharing.Find(q, actor, authz.Read, in.Workspace); err != nil {
		return err
	}
	if a.Workspace.TemplateID != t.ID {
		return berth.InvalidField("workspace", "this workspace is not made from the template %s", t.Name)
	}
	if in.Preset == "" {
		base, err := q.LastEffect(a.Workspace.ID, 0)
		if err != nil {
			return err
		}
		a.Preset = base.Preset
	}
	a.Owner, err = q.User(a.Workspace.OwnerID)
	return err
}

// spender is who pays for a new workspace, if the actor may know what they may
// spend.
func spender(q *store.Query, actor authz.Actor, name string, o berth.OrganizationID) (berth.User, error) {
	id, err := userNamed(q, actor, name)
	if errors.Is(err, berth.NotFound) || err == nil && id != actor.UserID && !authz.Can(actor, authz.Read, authz.OfQuota(id, o)) {
		return berth.User{}, authz.Hidden("the quota of " + name)
	}
	if err != nil {
		return berth.User{}, err
	}
	return q.User(id)
}

// foresee is what the first start of a new workspace is likely to cost. The
// workspace is made by then, so nothing that goes wrong here is an error of that.
func (s *Service) foresee(ctx context.Context, actor authz.Actor, v View) *quota.Estimate {
	var e quota.Estimate
	if s.db.Read(ctx, func(q *store.Query) (err error) {
		e, err = quota.Foresee(q, actor, quota.Asked{Organization: v.Workspace.OrganizationID, Owner: v.Owner,
			Version: v.Build.Build.VersionID, Preset: v.Build.Build.Preset, Workspace: v.Workspace})
		return err
	}) != nil {
		return nil
	}
	return &e
}
