package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// AgentByAWS gives an agent its token for the document of its instance. It needs
// no token.
func (c *Client) AgentByAWS(ctx context.Context, in api.AWSIdentity) (api.AgentSession, error) {
	return post[api.AWSIdentity, api.AgentSession](ctx, c, "/agent/aws-instance-identity", in)
}

// AgentByAzure is the same for a machine of Azure.
func (c *Client) AgentByAzure(ctx context.Context, in api.AzureIdentity) (api.AgentSession, error) {
	return post[api.AzureIdentity, api.AgentSession](ctx, c, "/agent/azure-instance-identity", in)
}

// AgentByGoogle is the same for an instance of Google Cloud.
func (c *Client) AgentByGoogle(ctx context.Context, in api.GoogleIdentity) (api.AgentSession, error) {
	return post[api.GoogleIdentity, api.AgentSession](ctx, c, "/agent/google-instance-identity", in)
}
