package httpapi

import (
	"cmp"
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/sharing"
)

func (h *handlers) listGrants(ctx context.Context, in *WorkspaceInput) (*body[api.Page[api.Grant]], error) {
	rows, err := h.Workspaces.Shares(ctx, actorOf(ctx), in.id())
	return grantsOf(rows, err)
}

type putGrantsInput struct {
	WorkspaceInput
	Body api.PutGrants
}

func (h *handlers) putGrants(ctx context.Context, in *putGrantsInput) (*body[api.Page[api.Grant]], error) {
	rows, err := h.Workspaces.Share(ctx, actorOf(ctx), in.id(), shares(in.Body))
	return grantsOf(rows, err)
}

// GrantsOf says whose shares are meant.
type GrantsOf struct {
	Users  []string `query:"user,explode" doc:"Usernames; me: the caller"`
	Groups []string `query:"group,explode" doc:"Names or ids"`
}

type removeGrantsInput struct {
	WorkspaceInput
	GrantsOf
}

func (h *handlers) removeGrants(ctx context.Context, in *removeGrantsInput) (*struct{}, error) {
	return nil, h.Workspaces.Unshare(ctx, actorOf(ctx), in.id(), in.Users, in.Groups)
}

func (h *handlers) listTemplateGrants(ctx context.Context, in *TemplateInput) (*body[api.Page[api.Grant]], error) {
	rows, err := h.Templates.Access(ctx, actorOf(ctx), in.Organization, in.Template)
	return grantsOf(rows, err)
}

type putTemplateGrantsInput struct {
	TemplateInput
	Body api.PutGrants
}

func (h *handlers) putTemplateGrants(ctx context.Context, in *putTemplateGrantsInput) (*body[api.Page[api.Grant]], error) {
	rows, err := h.Templates.Grant(ctx, actorOf(ctx), in.Organization, in.Template, shares(in.Body))
	return grantsOf(rows, err)
}

type removeTemplateGrantsInput struct {
	TemplateInput
	GrantsOf
}

func (h *handlers) removeTemplateGrants(ctx context.Context, in *removeTemplateGrantsInput) (*struct{}, error) {
	return nil, h.Templates.Revoke(ctx, actorOf(ctx), in.Organization, in.Template, in.Users, in.Groups)
}

func shares(in api.PutGrants) []sharing.Share {
	return list(in.Grants, func(g api.NewGrant) sharing.Share {
		return sharing.Share{User: g.User, Group: g.Group, Role: cmp.Or(berth.GrantRole(g.Role), berth.GrantUse)}
	})
}

func grantsOf(rows []sharing.Row, err error) (*body[api.Page[api.Grant]], error) {
	return answered(api.Page[api.Grant]{Items: list(rows, func(r sharing.Row) api.Grant {
		g := api.Grant{Role: string(r.Role), By: r.By, CreatedAt: r.CreatedAt}
		if r.To.Kind == berth.GranteeUser {
			g.User = r.Name
		} else {
			g.Group = r.Name
		}
		return g
	})}, err)
}
