package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/forms"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/sharing"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// Ask is a look at what a version asks of somebody, before a build is made.
type Ask struct {
	Organization string // name or id
	Template     string // name or id
	Version      string // name, id or active
	Owner        string // username; empty or "me": the actor. Of a new workspace
	Name         string // of a new workspace; empty: not known yet
	Workspace    berth.WorkspaceID
	Preset       string // as for Create and Build
	Parameters   map[string]string
}

// Questions tells what a version asks, with the answers so far. It changes
// nothing.
func (s *Service) Questions(ctx context.Context, actor authz.Actor, in Ask) (f berth.Form, err error) {
	if err := bearable(in.Parameters); err != nil {
		return f, err
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := templates.Find(q, actor, authz.Read, in.Organization, in.Template)
		if err != nil {
			return err
		}
		v, err := templates.FindVersion(q, t, in.Version)
		if err != nil {
			return err
		}
		if err := templates.Imported(q, v); err != nil {
			return err
		}
		preset, err := parameters.ChoosePreset(v.Contents.Presets, in.Preset, in.Workspace == "")
		if err != nil {
			return err
		}
		a := asking{template: t, version: v, answers: parameters.Answers{Preset: preset.Parameters, Request: in.Parameters}}
		if in.Workspace != "" {
			err = a.of(q, actor, in.Workspace)
		} else {
			a.workspace.Name = in.Name
			a.owner, err = askedFor(q, actor, in.Owner, t.OrganizationID)
		}
		if err != nil {
			return err
		}
		r, err := s.ask(q, a)
		f = r.Form(in.Parameters)
		return err
	})
	return f, err
}

// Last is the answers that the actor gave last to a template's questions, for a
// workspace of their own; empty if they never did. Those that held for one build
// only are left out.
func (s *Service) Last(ctx context.Context, actor authz.Actor, organization, template string) (answers map[string]string, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		t, err := templates.Find(q, actor, authz.Read, organization, template)
		if err != nil {
			return err
		}
		b, err := q.LastAsked(actor.UserID, t.ID)
		if err != nil {
			return ignore(err, berth.NotFound)
		}
		v, err := q.Version(b.VersionID)
		if err != nil {
			return err
		}
		answers = b.Parameters
		for _, p := range v.Contents.Parameters {
			if p.Ephemeral {
				delete(answers, p.Name)
			}
		}
		return nil
	})
	return answers, err
}

// asking is of whom a version asks what.
type asking struct {
	template  berth.Template
	version   berth.Version
	owner     berth.User
	workspace berth.Workspace // with nothing but its name before it is made
	answers   parameters.Answers
}

// of asks for a workspace that is there: its answers are what its people see.
func (a *asking) of(q *store.Query, actor authz.Actor, id berth.WorkspaceID) (err error) {
	if a.workspace, err = sharing.Find(q, actor, authz.Read, id); err != nil {
		return err
	}
	if a.workspace.TemplateID != a.template.ID {
		return berth.InvalidField("workspace", "this workspace is not made from the template %s", a.template.Name)
	}
	base, err := q.LastEffect(id, 0)
	if err != nil {
		return err
	}
	a.answers.Previous = previousOf(base)
	a.owner, err = q.User(a.workspace.OwnerID)
	return err
}

// askedFor is who would own a new workspace. What is asked of somebody may tell
// their groups, so it is told to who may make workspaces for them.
func askedFor(q *store.Query, actor authz.Actor, name string, o berth.OrganizationID) (berth.User, error) {
	id, err := userNamed(q, actor, name)
	if err == nil && id == actor.UserID {
		return q.User(id)
	}
	if !authz.Can(actor, authz.Create, authz.In(authz.KindWorkspace, o)) {
		return berth.User{}, forbidden(actor, "you may make workspaces for yourself only: leave the owner out")
	}
	if err == nil {
		_, err = q.Member(o, id)
	}
	if berth.ErrorCode(err) == berth.NotFound {
		return berth.User{}, notMember(name)
	}
	if err != nil {
		return berth.User{}, err
	}
	return q.User(id)
}

// ask finds what is asked.
func (s *Service) ask(q *store.Query, a asking) (forms.Result, error) {
	at, err := standingOf(q, a.template.OrganizationID, a.owner.ID)
	if err != nil {
		return forms.Result{}, err
	}
	return s.templates.Questions(q, a.version, forms.Input{
		Answers: a.answers,
		Owner: forms.Owner{ID: string(a.owner.ID), Name: a.owner.Username, FullName: a.owner.Name, Email: a.owner.Email, LoginType: s.loginType(a.owner),
			Groups: at.groups, Roles: at.rolesFor(a.owner, a.template.OrganizationID)},
		Workspace: forms.Workspace{ID: string(a.workspace.ID), Name: a.workspace.Name, AccessURL: s.opt.AccessURL,
			TemplateID: string(a.template.ID), TemplateName: a.template.Name, Version: a.version.Name},
	})
}

// previousOf is the answers of a build; none, but not unknown, where it had none.
func previousOf(base berth.Build) map[string]string {
	if base.Parameters == nil {
		return map[string]string{}
	}
	return base.Parameters
}

// asks is what a version asks for a build of a workspace, which has had base.
func (s *Service) asks(q *store.Query, w berth.Workspace, t berth.Template, v berth.Version, base berth.Build, in BuildInput) (a asking, r forms.Result, preset berth.Preset, err error) {
	a = asking{template: t, version: v, workspace: w, answers: parameters.Answers{Previous: previousOf(base)}}
	if in.Transition == berth.Start {
		if preset, err = parameters.ChoosePreset(v.Contents.Presets, in.Preset, false); err != nil {
			return a, r, preset, err
		}
		if err := bearable(in.Parameters); err != nil {
			return a, r, preset, err
		}
		a.answers.Preset, a.answers.Request = preset.Parameters, in.Parameters
	}
	if a.owner, err = q.User(w.OwnerID); err == nil {
		r, err = s.ask(q, a)
	}
	return a, r, preset, err
}
