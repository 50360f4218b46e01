package httpapi

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/organizations"
)

// InOrganization names the organization of a path.
type InOrganization struct {
	Organization string `path:"organization" doc:"Name or id; default is the default one"`
}

func (h *handlers) listOrganizations(ctx context.Context, in *Page) (*body[api.Page[api.Organization]], error) {
	found, next, err := h.Organizations.List(ctx, actorOf(ctx), in.After, in.Limit)
	return answered(api.Page[api.Organization]{Items: list(found, viewOrganization), Next: next}, err)
}

func (h *handlers) getOrganization(ctx context.Context, in *InOrganization) (*body[api.Organization], error) {
	o, err := h.Organizations.Get(ctx, actorOf(ctx), in.Organization)
	return answered(viewOrganization(o), err)
}

type createOrganizationInput struct{ Body api.CreateOrganization }

func (h *handlers) createOrganization(ctx context.Context, in *createOrganizationInput) (*body[api.Organization], error) {
	o, err := h.Organizations.Create(ctx, actorOf(ctx), organizations.NewOrganization(in.Body))
	return answered(viewOrganization(o), err)
}

func (h *handlers) deleteOrganization(ctx context.Context, in *InOrganization) (*struct{}, error) {
	return nil, h.Organizations.Delete(ctx, actorOf(ctx), in.Organization)
}

type editOrganizationInput struct {
	InOrganization
	Body api.EditOrganization
}

func (h *handlers) editOrganization(ctx context.Context, in *editOrganizationInput) (*body[api.Organization], error) {
	e, err := editOf(in.Body)
	if err != nil {
		return nil, err
	}
	o, err := h.Organizations.Edit(ctx, actorOf(ctx), in.Organization, e)
	return answered(viewEdited(o), err)
}

type undoOrganizationInput struct {
	InOrganization
	Body api.PolicyEdit
}

func (h *handlers) undoOrganizationEdit(ctx context.Context, in *undoOrganizationInput) (*body[api.Organization], error) {
	how, err := howOf(in.Body)
	if err != nil {
		return nil, err
	}
	o, err := h.Organizations.Undo(ctx, actorOf(ctx), in.Organization, how)
	return answered(viewEdited(o), err)
}

func viewEdited(o organizations.Edited) api.Organization {
	v := viewOrganization(o.Organization)
	v.Effects = o.Effects
	return v
}

// editOf is an edit from the wire.
func editOf(in api.EditOrganization) (organizations.Edit, error) {
	e := organizations.Edit{
		Name: in.Name, DisplayName: in.DisplayName, Description: in.Description,
		ConnectStarts: in.ConnectStarts, IdleCounts: in.IdleCounts, Sharing: in.Sharing, AutoOffByUser: in.AutoOffByUser,
	}
	var err error
	if e.AutostartDays, err = daysIfAny("autostart_days", in.AutostartDays); err != nil {
		return e, err
	}
	if e.AutoOff, err = secondsIfAny("auto_off_seconds", in.AutoOff); err != nil {
		return e, err
	}
	if e.UsedWithin, err = secondsIfAny("autostart_used_within_seconds", in.UsedWithin); err != nil {
		return e, err
	}
	if e.How, err = howOf(in.PolicyEdit); err != nil {
		return e, err
	}
	if in.Limits != nil {
		e.Limits = organizations.EditLimits(*in.Limits)
	}
	return e, nil
}

func viewOrganization(o berth.Organization) api.Organization {
	return api.Organization{
		ID: string(o.ID), Name: o.Name, DisplayName: o.DisplayName, Description: o.Description, Default: o.Default,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		ConnectStarts: o.ConnectStarts, IdleCounts: o.IdleCounts, Sharing: o.Sharing,
		AutostartDays: o.AutostartDays.Names(), AutoOff: int(o.AutoOff / time.Second), AutoOffByUser: o.AutoOffByUser,
		UsedWithin: int(o.AutostartUsedWithin / time.Second),
		Limits:     api.WorkspaceLimits(o.Limits),
	}
}

func (h *handlers) listAllowedProviders(ctx context.Context, in *InOrganization) (*body[api.Page[api.AllowedProvider]], error) {
	allowed, err := h.Organizations.Providers(ctx, actorOf(ctx), in.Organization)
	views := make([]api.AllowedProvider, len(allowed))
	for i, p := range allowed {
		views[i] = api.AllowedProvider{ID: string(p.ID), Name: p.Name, Used: i == 0}
	}
	return answered(api.Page[api.AllowedProvider]{Items: views}, err)
}

type allowedProviderInput struct {
	InOrganization
	Provider string `path:"provider" doc:"Name or id"`
}

func (h *handlers) allowProvider(ctx context.Context, in *allowedProviderInput) (*struct{}, error) {
	return nil, h.Organizations.AllowProvider(ctx, actorOf(ctx), in.Organization, in.Provider)
}

func (h *handlers) denyProvider(ctx context.Context, in *allowedProviderInput) (*struct{}, error) {
	return nil, h.Organizations.DenyProvider(ctx, actorOf(ctx), in.Organization, in.Provider)
}
