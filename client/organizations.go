package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Organizations is one page of those that the caller sees, oldest first.
func (c *Client) Organizations(ctx context.Context, l List) (api.Page[api.Organization], error) {
	return get[api.Page[api.Organization]](ctx, c, l.query("/organizations"))
}

// Organization is one organization by name or id.
func (c *Client) Organization(ctx context.Context, organization string) (api.Organization, error) {
	return get[api.Organization](ctx, c, path("organizations", organization))
}

// EditOrganization changes the settings of an organization, by name or id.
func (c *Client) EditOrganization(ctx context.Context, organization string, in api.EditOrganization) (api.Organization, error) {
	return call[api.EditOrganization, api.Organization](ctx, c, http.MethodPatch, path("organizations", organization), in)
}
