package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// Roles lists what roles there are, and what shares carry.
func (c *Client) Roles(ctx context.Context) (api.Page[api.Role], error) {
	return get[api.Page[api.Role]](ctx, c, "/roles")
}
