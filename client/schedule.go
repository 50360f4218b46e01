package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// SleepWorkspace makes a workspace dormant, and stops it where it may run.
func (c *Client) SleepWorkspace(ctx context.Context, workspace string, in api.Sleep) (api.Workspace, error) {
	return call[api.Sleep, api.Workspace](ctx, c, http.MethodPut, path("workspaces", workspace, "dormant"), in)
}

// WakeWorkspace ends that a workspace is dormant. It does not start it.
func (c *Client) WakeWorkspace(ctx context.Context, workspace string) (api.Workspace, error) {
	return call[nothing, api.Workspace](ctx, c, http.MethodDelete, path("workspaces", workspace, "dormant"), nothing{})
}

// AddFavorite marks a workspace as one of the caller's favorites.
func (c *Client) AddFavorite(ctx context.Context, workspace string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodPut, path("workspaces", workspace, "favorite"), nothing{})
	return err
}

// RemoveFavorite ends that.
func (c *Client) RemoveFavorite(ctx context.Context, workspace string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path("workspaces", workspace, "favorite"), nothing{})
	return err
}

// QuietHours is when a user's workspaces may be stopped by force; "me" is the
// caller.
func (c *Client) QuietHours(ctx context.Context, user string) (api.QuietHours, error) {
	return get[api.QuietHours](ctx, c, path("users", user, "quiet-hours"))
}

// SetQuietHours changes that.
func (c *Client) SetQuietHours(ctx context.Context, user string, in api.EditQuietHours) (api.QuietHours, error) {
	return call[api.EditQuietHours, api.QuietHours](ctx, c, http.MethodPatch, path("users", user, "quiet-hours"), in)
}
