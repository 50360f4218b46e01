package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// AgentTrouble tells why the calling agent cannot link.
func (c *Client) AgentTrouble(ctx context.Context, in api.AgentTrouble) error {
	return tell(ctx, c, "/agent/trouble", in)
}

// RotateAgentKey changes the key of the tokens of a workspace's agents; the
// next start uses it.
func (c *Client) RotateAgentKey(ctx context.Context, workspace string) (api.RotatedKey, error) {
	return post[nothing, api.RotatedKey](ctx, c, path("workspaces", workspace, "agent-key"), nothing{})
}
