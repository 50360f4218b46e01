package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// Explain says why a workspace is as it is, what comes, and what was done with
// it by itself.
func (c *Client) Explain(ctx context.Context, workspace string) (api.Explanation, error) {
	return get[api.Explanation](ctx, c, path("workspaces", workspace, "schedule", "explain"))
}

// Acts lists what Berth did with a workspace by itself, newest first.
func (c *Client) Acts(ctx context.Context, workspace string, l List) (api.Page[api.Act], error) {
	return get[api.Page[api.Act]](ctx, c, l.query(path("workspaces", workspace, "acts")))
}
