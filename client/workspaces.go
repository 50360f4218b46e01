package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/berthdev/berth/api"
)

// CreateWorkspace makes a workspace and queues its first build.
func (c *Client) CreateWorkspace(ctx context.Context, in api.CreateWorkspace) (api.Workspace, error) {
	return post[api.CreateWorkspace, api.Workspace](ctx, c, "/workspaces", in)
}

// Workspaces lists the workspaces that the caller may see.
func (c *Client) Workspaces(ctx context.Context, l List) (api.Page[api.Workspace], error) {
	return get[api.Page[api.Workspace]](ctx, c, l.query("/workspaces"))
}

// Workspace is one workspace, by id.
func (c *Client) Workspace(ctx context.Context, id string) (api.Workspace, error) {
	return get[api.Workspace](ctx, c, path("workspaces", id))
}

// FindWorkspace is one workspace by its owner's name ("me" for the caller's) and its own.
func (c *Client) FindWorkspace(ctx context.Context, owner, name string) (api.Workspace, error) {
	return get[api.Workspace](ctx, c, path("users", owner, "workspaces", name))
}

// EditWorkspace changes the name or the settings of a workspace.
func (c *Client) EditWorkspace(ctx context.Context, id string, in api.EditWorkspace) (api.Workspace, error) {
	return call[api.EditWorkspace, api.Workspace](ctx, c, http.MethodPatch, path("workspaces", id), in)
}

// WatchWorkspace gives a workspace at every change, the present one first. It
// ends with an error, or when ctx or the loop over it does.
func (c *Client) WatchWorkspace(ctx context.Context, id string) iter.Seq2[api.Workspace, error] {
	return func(yield func(api.Workspace, error) bool) {
		err := c.watch(ctx, func() string { return path("workspaces", id, "events") }, func(e event) (bool, error) {
			if e.name != "workspace" {
				return true, nil
			}
			w, err := decode[api.Workspace](e)
			if err != nil {
				return false, err
			}
			return yield(w, nil), nil
		})
		if err != nil {
			yield(api.Workspace{}, err)
		}
	}
}

// PreviewUpdate is what bringing a workspace to a version of its template would
// change; without a name, the active one. Nothing is done.
func (c *Client) PreviewUpdate(ctx context.Context, id, version string) (api.WorkspaceUpdate, error) {
	return get[api.WorkspaceUpdate](ctx, c, query(path("workspaces", id, "update"), "version", version))
}
