package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// ExternalAgent tells how to start an agent whose computer the template does not
// make. It holds the agent's token.
func (c *Client) ExternalAgent(ctx context.Context, workspace, agent string) (api.ExternalAgent, error) {
	return get[api.ExternalAgent](ctx, c, path("workspaces", workspace, "agents", agent, "external"))
}
