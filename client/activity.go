package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// Activity asks the agents of a workspace what keeps it awake.
func (c *Client) Activity(ctx context.Context, workspace string) (api.AskedActivity, error) {
	return get[api.AskedActivity](ctx, c, path("workspaces", workspace, "activity"))
}

// Holds lists what holds a workspace awake, the longest first.
func (c *Client) Holds(ctx context.Context, workspace string) (api.Page[api.Hold], error) {
	return get[api.Page[api.Hold]](ctx, c, path("workspaces", workspace, "holds"))
}

// CreateHold holds a workspace awake, or renews the caller's hold with the same
// reason.
func (c *Client) CreateHold(ctx context.Context, workspace string, in api.CreateHold) (api.Hold, error) {
	return post[api.CreateHold, api.Hold](ctx, c, path("workspaces", workspace, "holds"), in)
}

// ReleaseHold ends a hold.
func (c *Client) ReleaseHold(ctx context.Context, workspace, hold string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path("workspaces", workspace, "holds", hold), nothing{})
	return err
}

// ReleaseHolds ends all holds of a workspace.
func (c *Client) ReleaseHolds(ctx context.Context, workspace string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path("workspaces", workspace, "holds"), nothing{})
	return err
}

// AgentActivity reports what an agent saw of its workspace's use.
func (c *Client) AgentActivity(ctx context.Context, in api.AgentActivity) error {
	return tell(ctx, c, "/agent/activity", in)
}

// AgentPressure reports what of the calling agent's computer is too full.
func (c *Client) AgentPressure(ctx context.Context, in api.AgentPressure) error {
	return tell(ctx, c, "/agent/pressure", in)
}
