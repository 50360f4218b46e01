package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/berthdev/berth/api"
)

// Grants lists who a workspace is shared with.
func (c *Client) Grants(ctx context.Context, workspace string) (api.Page[api.Grant], error) {
	return get[api.Page[api.Grant]](ctx, c, path("workspaces", workspace, "grants"))
}

// PutGrants shares a workspace with users and groups, and gives who it is shared
// with then.
func (c *Client) PutGrants(ctx context.Context, workspace string, in api.PutGrants) (api.Page[api.Grant], error) {
	return call[api.PutGrants, api.Page[api.Grant]](ctx, c, http.MethodPut, path("workspaces", workspace, "grants"), in)
}

// RemoveGrants ends shares of a workspace.
func (c *Client) RemoveGrants(ctx context.Context, workspace string, users, groups []string) error {
	return c.removeGrants(ctx, path("workspaces", workspace, "grants"), users, groups)
}

// TemplateGrants lists who a template is shared with.
func (c *Client) TemplateGrants(ctx context.Context, organization, template string) (api.Page[api.Grant], error) {
	return get[api.Page[api.Grant]](ctx, c, templatePath(organization, template, "grants"))
}

// PutTemplateGrants shares a template with users and groups, and gives who it is
// shared with then.
func (c *Client) PutTemplateGrants(ctx context.Context, organization, template string, in api.PutGrants) (api.Page[api.Grant], error) {
	return call[api.PutGrants, api.Page[api.Grant]](ctx, c, http.MethodPut, templatePath(organization, template, "grants"), in)
}

// RemoveTemplateGrants ends shares of a template.
func (c *Client) RemoveTemplateGrants(ctx context.Context, organization, template string, users, groups []string) error {
	return c.removeGrants(ctx, templatePath(organization, template, "grants"), users, groups)
}

func (c *Client) removeGrants(ctx context.Context, path string, users, groups []string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path+"?"+url.Values{"user": users, "group": groups}.Encode(), nothing{})
	return err
}
