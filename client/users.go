package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Users lists the users that the caller sees, oldest first.
func (c *Client) Users(ctx context.Context, l List) (api.Page[api.User], error) {
	return get[api.Page[api.User]](ctx, c, l.query("/users"))
}

// User shows a user by username or id.
func (c *Client) User(ctx context.Context, user string) (api.User, error) {
	return get[api.User](ctx, c, path("users", user))
}

// CreateUser makes a user. A password that was made for them is in this answer only.
func (c *Client) CreateUser(ctx context.Context, in api.CreateUser) (api.CreatedUser, error) {
	return post[api.CreateUser, api.CreatedUser](ctx, c, "/users", in)
}

// EditUser changes a user.
func (c *Client) EditUser(ctx context.Context, user string, in api.EditUser) (api.User, error) {
	return call[api.EditUser, api.User](ctx, c, http.MethodPatch, path("users", user), in)
}

// SuspendUser shuts a user out and has their workspaces stopped.
func (c *Client) SuspendUser(ctx context.Context, user string) (api.User, error) {
	return post[nothing, api.User](ctx, c, path("users", user, "suspend"), nothing{})
}

// ActivateUser lets a user in again.
func (c *Client) ActivateUser(ctx context.Context, user string) (api.User, error) {
	return post[nothing, api.User](ctx, c, path("users", user, "activate"), nothing{})
}

// DeleteUser removes a user who owns no workspaces.
func (c *Client) DeleteUser(ctx context.Context, user string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path("users", user), nothing{})
	return err
}

// ResetPassword gives another user a new password, which is in this answer only.
func (c *Client) ResetPassword(ctx context.Context, user string) (api.NewPassword, error) {
	return post[nothing, api.NewPassword](ctx, c, path("users", user, "password"), nothing{})
}

// ChangePassword changes the caller's own password and ends their other logins.
func (c *Client) ChangePassword(ctx context.Context, in api.ChangePassword) error {
	_, err := call[api.ChangePassword, nothing](ctx, c, http.MethodPut, "/users/me/password", in)
	return err
}

// RemoveTokens ends all logins and tokens of a user; "me" is the caller.
func (c *Client) RemoveTokens(ctx context.Context, user string) (api.EndedTokens, error) {
	return call[nothing, api.EndedTokens](ctx, c, http.MethodDelete, path("users", user, "tokens"), nothing{})
}

// TokenUses lists from where the tokens of a user were used, the newest use
// first: all of them, or that of an id.
func (c *Client) TokenUses(ctx context.Context, user, token string) (api.Page[api.TokenUse], error) {
	return get[api.Page[api.TokenUse]](ctx, c, query(path("users", user, "token-uses"), "token", token))
}
