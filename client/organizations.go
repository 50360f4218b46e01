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

// UndoOrganizationEdit takes back the newest edit of what the workspaces of an
// organization live by.
func (c *Client) UndoOrganizationEdit(ctx context.Context, organization string, how api.PolicyEdit) (api.Organization, error) {
	return post[api.PolicyEdit, api.Organization](ctx, c, path("organizations", organization, "undo"), how)
}

// CreateOrganization makes an organization.
func (c *Client) CreateOrganization(ctx context.Context, in api.CreateOrganization) (api.Organization, error) {
	return post[api.CreateOrganization, api.Organization](ctx, c, "/organizations", in)
}

// DeleteOrganization removes an organization that has no workspaces and no
// templates.
func (c *Client) DeleteOrganization(ctx context.Context, organization string) error {
	return bare(ctx, c, http.MethodDelete, path("organizations", organization))
}

// Members is one page of the members of an organization, by username.
func (c *Client) Members(ctx context.Context, organization string, l List) (api.Page[api.Member], error) {
	return get[api.Page[api.Member]](ctx, c, l.query(path("organizations", organization, "members")))
}

// Member is one member of an organization, by username or id.
func (c *Client) Member(ctx context.Context, organization, user string) (api.Member, error) {
	return get[api.Member](ctx, c, path("organizations", organization, "members", user))
}

// AddMember makes a user a member of an organization, or changes the roles of
// one.
func (c *Client) AddMember(ctx context.Context, organization, user string, in api.AddMember) (api.Member, error) {
	return call[api.AddMember, api.Member](ctx, c, http.MethodPut, path("organizations", organization, "members", user), in)
}

// EditMember gives a member roles and takes others.
func (c *Client) EditMember(ctx context.Context, organization, user string, in api.EditMember) (api.Member, error) {
	return call[api.EditMember, api.Member](ctx, c, http.MethodPatch, path("organizations", organization, "members", user), in)
}

// RemoveMember ends a membership, and tells what workspaces stay.
func (c *Client) RemoveMember(ctx context.Context, organization, user string) (api.RemovedMember, error) {
	return call[nothing, api.RemovedMember](ctx, c, http.MethodDelete, path("organizations", organization, "members", user), nothing{})
}

// Groups is one page of the groups of an organization, by name.
func (c *Client) Groups(ctx context.Context, organization string, l List) (api.Page[api.Group], error) {
	return get[api.Page[api.Group]](ctx, c, l.query(path("organizations", organization, "groups")))
}

// Group is one group of an organization, by name or id.
func (c *Client) Group(ctx context.Context, organization, group string) (api.Group, error) {
	return get[api.Group](ctx, c, path("organizations", organization, "groups", group))
}

// CreateGroup makes a group in an organization.
func (c *Client) CreateGroup(ctx context.Context, organization string, in api.CreateGroup) (api.Group, error) {
	return post[api.CreateGroup, api.Group](ctx, c, path("organizations", organization, "groups"), in)
}

// EditGroup changes the names or the allowance of a group.
func (c *Client) EditGroup(ctx context.Context, organization, group string, in api.EditGroup) (api.Group, error) {
	return call[api.EditGroup, api.Group](ctx, c, http.MethodPatch, path("organizations", organization, "groups", group), in)
}

// DeleteGroup removes a group.
func (c *Client) DeleteGroup(ctx context.Context, organization, group string) error {
	return bare(ctx, c, http.MethodDelete, path("organizations", organization, "groups", group))
}

// GroupMembers is one page of who is in a group, by username.
func (c *Client) GroupMembers(ctx context.Context, organization, group string, l List) (api.Page[api.GroupMember], error) {
	return get[api.Page[api.GroupMember]](ctx, c, l.query(path("organizations", organization, "groups", group, "members")))
}

// AddGroupMember puts a member of the organization into a group.
func (c *Client) AddGroupMember(ctx context.Context, organization, group, user string) error {
	return bare(ctx, c, http.MethodPut, path("organizations", organization, "groups", group, "members", user))
}

// RemoveGroupMember takes somebody out of a group.
func (c *Client) RemoveGroupMember(ctx context.Context, organization, group, user string) error {
	return bare(ctx, c, http.MethodDelete, path("organizations", organization, "groups", group, "members", user))
}

// AllowedProviders lists the workspace providers that an organization may use.
func (c *Client) AllowedProviders(ctx context.Context, organization string) (api.Page[api.AllowedProvider], error) {
	return get[api.Page[api.AllowedProvider]](ctx, c, path("organizations", organization, "providers"))
}

// AllowProvider lets an organization use a workspace provider.
func (c *Client) AllowProvider(ctx context.Context, organization, provider string) error {
	return bare(ctx, c, http.MethodPut, path("organizations", organization, "providers", provider))
}

// DenyProvider takes a workspace provider from an organization.
func (c *Client) DenyProvider(ctx context.Context, organization, provider string) error {
	return bare(ctx, c, http.MethodDelete, path("organizations", organization, "providers", provider))
}
