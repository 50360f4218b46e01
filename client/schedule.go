package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Schedule is by what a workspace starts and stops by itself.
func (c *Client) Schedule(ctx context.Context, workspace string) (api.Schedule, error) {
	return get[api.Schedule](ctx, c, path("workspaces", workspace, "schedule"))
}

// EditSchedule changes that.
func (c *Client) EditSchedule(ctx context.Context, workspace string, in api.EditSchedule) (api.EditedSchedule, error) {
	return call[api.EditSchedule, api.EditedSchedule](ctx, c, http.MethodPatch, path("workspaces", workspace, "schedule"), in)
}

// ExtendWorkspace has a running workspace stopped by its rules later.
func (c *Client) ExtendWorkspace(ctx context.Context, workspace string, in api.Extend) (api.Schedule, error) {
	return post[api.Extend, api.Schedule](ctx, c, path("workspaces", workspace, "extend"), in)
}

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
