package client

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// AskParameters is what a version asks with the answers so far. It changes
// nothing, so it is tried again like a read.
func (c *Client) AskParameters(ctx context.Context, organization, template, version string, in api.AskParameters) (berth.Form, error) {
	return post[api.AskParameters, berth.Form](ctx, c, path("organizations", organization, "templates", template, "versions", version, "parameters"), in)
}

// LastParameters is what the caller answered last to a template's questions.
func (c *Client) LastParameters(ctx context.Context, organization, template string) (api.LastParameters, error) {
	return get[api.LastParameters](ctx, c, path("organizations", organization, "templates", template, "last-parameters"))
}
