package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/workspaces"
)

type createWorkspaceInput struct{ Body api.CreateWorkspace }

func (h *handlers) createWorkspace(ctx context.Context, in *createWorkspaceInput) (*body[api.Workspace], error) {
	b := in.Body
	said := api.EditSchedule{Autostart: &b.Autostart, TTL: b.TTL}
	if b.AutomaticUpdates != "" {
		said.AutomaticUpdates = &b.AutomaticUpdates
	}
	life, err := settingsOf(said)
	if err != nil {
		return nil, err
	}
	view, err := h.Workspaces.Create(ctx, actorOf(ctx), workspaces.Create{
		Name: b.Name, Owner: b.Owner, Organization: b.Organization, Template: b.Template, Version: b.Version,
		Provider: b.Provider, Parameters: b.Parameters, Preset: b.Preset, Reason: berth.Reason(b.Reason), Settings: life,
	})
	return h.workspace(ctx, view, err)
}

type listInput struct {
	Page
	Query string `query:"q" doc:"owner:me status:running template:x name:part outdated:true dormant:true favorite:true shared:me shared_with_user:x shared_with_group:x, and free words for the name"`
}

func (h *handlers) listWorkspaces(ctx context.Context, in *listInput) (*body[api.Page[api.Workspace]], error) {
	views, next, err := h.Workspaces.List(ctx, actorOf(ctx), in.Query, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	found, err := h.viewWorkspaces(ctx, views...)
	return answered(api.Page[api.Workspace]{Items: found, Next: next}, err)
}

type WorkspaceInput struct {
	Workspace string `path:"workspace" doc:"Id"`
}

func (in WorkspaceInput) id() berth.WorkspaceID { return berth.WorkspaceID(in.Workspace) }

func (h *handlers) getWorkspace(ctx context.Context, in *WorkspaceInput) (*body[api.Workspace], error) {
	view, err := h.Workspaces.Get(ctx, actorOf(ctx), in.id())
	return h.workspace(ctx, view, err)
}

type findWorkspaceInput struct {
	User string `path:"user" doc:"Username; me: the caller"`
	Name string `path:"name"`
}

func (h *handlers) findWorkspace(ctx context.Context, in *findWorkspaceInput) (*body[api.Workspace], error) {
	view, err := h.Workspaces.Find(ctx, actorOf(ctx), in.User, in.Name)
	return h.workspace(ctx, view, err)
}

type editWorkspaceInput struct {
	WorkspaceInput
	Body api.EditWorkspace
}

func (h *handlers) editWorkspace(ctx context.Context, in *editWorkspaceInput) (*body[api.Workspace], error) {
	view, err := h.Workspaces.Edit(ctx, actorOf(ctx), in.id(), workspaces.Edit{Name: in.Body.Name, ConnectStarts: in.Body.ConnectStarts})
	return h.workspace(ctx, view, err)
}

// workspace answers with one workspace, unless there is an error.
func (h *handlers) workspace(ctx context.Context, v workspaces.View, err error) (*body[api.Workspace], error) {
	if err != nil {
		return nil, err
	}
	shown, err := h.viewWorkspaces(ctx, v)
	if err != nil {
		return nil, err
	}
	return &body[api.Workspace]{shown[0]}, nil
}

// viewWorkspaces is workspaces with what the rules have in store for them.
func (h *handlers) viewWorkspaces(ctx context.Context, views ...workspaces.View) ([]api.Workspace, error) {
	ids := list(views, func(v workspaces.View) berth.WorkspaceID { return v.Workspace.ID })
	ahead, err := h.Schedules.Ahead(ctx, actorOf(ctx), ids)
	if err != nil {
		return nil, err
	}
	return list(views, func(v workspaces.View) api.Workspace {
		w, a := viewWorkspace(v), ahead[v.Workspace.ID]
		w.Ahead, w.Favorite = viewAhead(a), a.Favorite
		return w
	}), nil
}

func viewWorkspace(v workspaces.View) api.Workspace {
	w := v.Workspace
	var cost *api.Cost
	if v.Cost != nil {
		c := viewCost(*v.Cost)
		cost = &c
	}
	return api.Workspace{
		ID: string(w.ID), Name: w.Name, Owner: v.Owner.Username, OwnerID: string(w.OwnerID),
		Organization: v.Organization, Provider: v.Provider, Template: v.Template, TemplateID: string(w.TemplateID),
		Status: string(v.Status), Reason: v.Reason, Healthy: v.Healthy, Health: v.Health, Outdated: v.Outdated,
		Build: viewBuild(v.Build), Agents: list(v.Agents, viewAgent),
		CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt, LastUsedAt: moment(w.LastUsedAt), Activity: coarseActivity(v),
		DailyCost: w.Counts(v.Build.Build), Cost: cost,
		ConnectStarts: w.ConnectStarts, ConnectForbidden: v.ConnectForbidden, Shared: v.Shared,
	}
}

type stateOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (h *handlers) pullState(ctx context.Context, in *WorkspaceInput) (*stateOutput, error) {
	state, err := h.Workspaces.State(ctx, actorOf(ctx), in.id())
	return &stateOutput{"application/json", "no-store", state}, err
}

type pushStateInput struct {
	WorkspaceInput
	raw
}

func (h *handlers) pushState(ctx context.Context, in *pushStateInput) (*body[api.StateRevision], error) {
	state, err := readAll(in.body)
	if err != nil {
		return nil, err
	}
	view, err := h.Workspaces.PushState(ctx, actorOf(ctx), in.id(), state)
	return answered(viewState(view), err)
}

func (h *handlers) listStateVersions(ctx context.Context, in *WorkspaceInput) (*body[api.Page[api.StateRevision]], error) {
	views, err := h.Workspaces.StateVersions(ctx, actorOf(ctx), in.id())
	return answered(api.Page[api.StateRevision]{Items: list(views, viewState)}, err)
}

type restoreStateInput struct {
	WorkspaceInput
	Body api.RestoreState
}

func (h *handlers) restoreState(ctx context.Context, in *restoreStateInput) (*body[api.StateRevision], error) {
	view, err := h.Workspaces.RestoreState(ctx, actorOf(ctx), in.id(), in.Body.Revision)
	return answered(viewState(view), err)
}

func (h *handlers) lookAtWorkspace(ctx context.Context, in *WorkspaceInput) (*body[api.Build], error) {
	view, err := h.Workspaces.Look(ctx, actorOf(ctx), in.id())
	return answered(viewBuild(view), err)
}

func viewState(v workspaces.StateView) api.StateRevision {
	r := v.Revision
	return api.StateRevision{
		ID: r.ID, Serial: r.Serial, Lineage: r.Lineage, Current: r.Current,
		Build: v.Build, CreatedBy: v.CreatedBy, Size: r.Size, CreatedAt: r.CreatedAt,
	}
}
