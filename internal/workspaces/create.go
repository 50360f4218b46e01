package workspaces

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/parameters"
	"github.com/berthdev/berth/internal/providers"
	"github.com/berthdev/berth/internal/quota"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/templates"
)

// Create says what workspace to make.
type Create struct {
	Name         string
	Owner        string // username; empty or "me": the actor
	Organization string // name or id; empty or "default": the default one
	Template     string // name or id
	Version      string // name or id; empty: the active one
	Provider     string // name or id; empty: the default one
	Parameters   map[string]string
	Preset       string // name; "none": no preset; empty: the default preset
	Settings     Settings
	Reason       berth.Reason
}

// Create makes a workspace and queues its first build.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in Create) (v View, err error) {
	if err := authz.Barred(actor, authz.Create, authz.KindWorkspace); err != nil {
		return v, err
	}
	id := berth.NewID[berth.Workspace]()
	key, err := s.newAgentKey(id)
	if err != nil {
		return v, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, b, err := s.plan(tx, actor, in)
		if err != nil {
			return err
		}
		w.ID, b.WorkspaceID = id, id
		if err := tx.InsertWorkspace(w, key); err != nil {
			return err
		}
		if b, err = s.queue.Enqueue(tx, b); err != nil {
			return err
		}
		if err := auditBuild(tx, actor, "create", w, b, nil); err != nil {
			return err
		}
		v, err = s.view(&tx.Query, id)
		return err
	})
	if err == nil {
		v.Cost = s.foresee(ctx, actor, v)
	}
	return v, err
}

// plan checks what is asked for, in the order in which people are told, and
// makes the workspace and its first build of it.
func (s *Service) plan(tx *store.Tx, actor authz.Actor, in Create) (w berth.Workspace, b berth.Build, err error) {
	if b.Reason, err = reasonOf(actor, in.Reason); err != nil {
		return w, b, err
	}
	t, err := templates.Find(&tx.Query, actor, authz.Use, in.Organization, in.Template)
	if err != nil {
		return w, b, err
	}
	if err := undeprecated(t); err != nil {
		return w, b, err
	}
	owner, err := ownerOf(tx, actor, in.Owner, t.OrganizationID)
	if err != nil {
		return w, b, err
	}
	if err := nameFor(tx, owner, in.Name); err != nil {
		return w, b, err
	}
	p, err := providers.Resolve(&tx.Query, actor, t.OrganizationID, in.Provider)
	if err != nil {
		return w, b, err
	}
	ref := in.Version
	if ref == "" {
		ref = templates.Active
	}
	version, err := usable(tx, t, ref)
	if err != nil {
		return w, b, err
	}
	if err := mayUse(&tx.Query, actor, t, version); err != nil {
		return w, b, err
	}
	if s.opt.Credentials != nil {
		if err := s.opt.Credentials.Linked(&tx.Query, owner.ID, version.Contents.External); err != nil {
			return w, b, err
		}
		if err := s.opt.Credentials.Kept(&tx.Query, owner.ID, version.Contents.Secrets); err != nil {
			return w, b, err
		}
	}
	preset, err := parameters.ChoosePreset(version.Contents.Presets, in.Preset, true)
	if err != nil {
		return w, b, err
	}
	if err := bearable(in.Parameters); err != nil {
		return w, b, err
	}
	asked := asking{template: t, version: version, owner: owner, workspace: berth.Workspace{Name: in.Name},
		answers: parameters.Answers{Preset: preset.Parameters, Request: in.Parameters}}
	form, err := s.ask(&tx.Query, asked)
	if err != nil {
		return w, b, err
	}
	answers, err := parameters.Resolve(form.Asked(), asked.answers)
	if err != nil {
		return w, b, err
	}
	wants, err := s.asksFor(&tx.Query, version, answers)
	if err != nil {
		return w, b, err
	}
	if p, err = providers.Choose(&tx.Query, actor, t.OrganizationID, in.Provider, wants); err != nil {
		return w, b, err
	}
	o, err := tx.Organization(t.OrganizationID)
	if err != nil {
		return w, b, err
	}
	life := berth.Lifecycle{TTL: t.Policy.DefaultTTL, AutomaticUpdates: berth.UpdatesNever}
	if _, err := in.Settings.Apply(&life, t, o); err != nil {
		return w, b, err
	}
	if err := quota.MayCreate(&tx.Query, actor, o, t, owner); err != nil {
		return w, b, err
	}
	w = berth.Workspace{OrganizationID: t.OrganizationID, ProviderID: p.ID, OwnerID: owner.ID, TemplateID: t.ID, Name: in.Name,
		Persistent: []string{}, ConnectStarts: true, CreatedAt: tx.Now, UpdatedAt: tx.Now, Lifecycle: life}
	b.OrganizationID, b.ProviderID, b.TemplateID, b.VersionID = t.OrganizationID, p.ID, t.ID, version.ID
	b.Transition, b.InitiatorID, b.Parameters, b.Preset = berth.Start, actor.UserID, answers, preset.Name
	return w, b, nil
}

// ownerOf is who will own a new workspace, if the actor may make one for them.
func ownerOf(tx *store.Tx, actor authz.Actor, name string, o berth.OrganizationID) (berth.User, error) {
	id, err := userNamed(&tx.Query, actor, name)
	if err != nil && !errors.Is(err, berth.NotFound) {
		return berth.User{}, err
	}
	if id == actor.UserID {
		if !authz.Can(actor, authz.Create, authz.OfWorkspace(id, o)) {
			return berth.User{}, forbidden(actor, "you may not make workspaces in this organization: ask an owner of the site or of the organization to make you a member of it")
		}
		return tx.User(id)
	}
	// From here on nothing tells whether there is such a user.
	if !authz.Can(actor, authz.Create, authz.In(authz.KindWorkspace, o)) {
		return berth.User{}, forbidden(actor, "you may make workspaces for yourself only: leave the owner out")
	}
	if err == nil {
		_, err = tx.Member(o, id)
	}
	if errors.Is(err, berth.NotFound) {
		return berth.User{}, notMember(name)
	}
	if err != nil {
		return berth.User{}, err
	}
	u, err := tx.User(id)
	if err == nil && !u.MaySignIn() {
		return u, berth.InvalidField("owner", "%s cannot own workspaces now: the user is suspended or not a person", u.Username)
	}
	return u, err
}

func notMember(name string) error {
	return berth.InvalidField("owner", "%s is no member of the organization: add them to it first", name)
}

// forbidden says why the actor makes no workspace: their token, or else that.
func forbidden(actor authz.Actor, because string) error {
	if err := authz.Barred(actor, authz.Create, authz.KindWorkspace); err != nil {
		return err
	}
	return berth.Errorf(berth.Forbidden, "%s", because)
}

// nameFor checks the name of a workspace, also whether it is free.
func nameFor(tx *store.Tx, owner berth.User, name string) error {
	if err := berth.ValidateName("name", name); err != nil {
		return err
	}
	switch w, err := tx.WorkspaceNamed(owner.ID, name); {
	case errors.Is(err, berth.NotFound):
		return nil
	case err != nil:
		return err
	default:
		return &berth.Error{Code: berth.Conflict, Field: "name",
			Message: fmt.Sprintf("%s has a workspace %s already: choose another name, or use that one", owner.Username, w.Name)}
	}
}

// usable is a version by name or id, if workspaces can be made from it.
func usable(tx *store.Tx, t berth.Template, ref string) (berth.Version, error) {
	v, err := templates.FindVersion(&tx.Query, t, ref)
	if errors.Is(err, berth.NotFound) {
		return v, berth.InvalidField("version", "%s", berth.ErrorMessage(err))
	}
	if err != nil {
		return v, err
	}
	return v, templates.Imported(&tx.Query, v)
}

// reasonOf is the reason of a build that somebody asks for. Only Berth's own
// loops have the others.
func reasonOf(actor authz.Actor, asked berth.Reason) (berth.Reason, error) {
	switch asked {
	case "":
		return berth.ReasonInitiator, nil
	case berth.ReasonInitiator, berth.ReasonCLI, berth.ReasonDashboard, berth.ReasonSSH, berth.ReasonVSCode, berth.ReasonJetBrains:
		return asked, nil
	}
	if actor.IsSystem() {
		return asked, nil
	}
	return "", berth.InvalidField("reason", "%q is not a reason that people give: use initiator, cli, dashboard, ssh_connection, vscode_connection or jetbrains_connection", asked)
}

const (
	maxAnswer  = 32 << 10 // bytes of one answer: it becomes an environment variable
	maxAnswers = 256 << 10
)

// bearable refuses answers that no environment variable can hold.
func bearable(answers map[string]string) error {
	size := 0
	for name, value := range answers {
		size += len(name) + len(value)
		switch {
		case len(value) > maxAnswer:
			return berth.InvalidField("parameters."+name, "the value is too long: at most %d bytes", maxAnswer)
		case strings.ContainsRune(value, 0):
			return berth.InvalidField("parameters."+name, "the value has a NUL character in it: leave that out")
		case size > maxAnswers:
			return berth.InvalidField("parameters", "the values are too long together: at most %d bytes", maxAnswers)
		}
	}
	return nil
}
