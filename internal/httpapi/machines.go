package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
)

// byMachine gives an agent its token for the document of its machine. Tries are
// counted with those of signing in.
func (h *handlers) byMachine(ctx context.Context, token func() (string, error)) (*body[api.AgentSession], error) {
	if err := h.Accounts.Knock(requestOf(ctx).remote); err != nil {
		return nil, err
	}
	t, err := token()
	return answered(api.AgentSession{Token: t}, err)
}

type awsInput struct{ Body api.AWSIdentity }

func (h *handlers) agentByAWS(ctx context.Context, in *awsInput) (*body[api.AgentSession], error) {
	return h.byMachine(ctx, func() (string, error) { return h.Workspaces.TokenByAWS(ctx, in.Body.Document, in.Body.Signature) })
}

type azureInput struct{ Body api.AzureIdentity }

func (h *handlers) agentByAzure(ctx context.Context, in *azureInput) (*body[api.AgentSession], error) {
	return h.byMachine(ctx, func() (string, error) { return h.Workspaces.TokenByAzure(ctx, in.Body.Signature) })
}

type googleInput struct{ Body api.GoogleIdentity }

func (h *handlers) agentByGoogle(ctx context.Context, in *googleInput) (*body[api.AgentSession], error) {
	return h.byMachine(ctx, func() (string, error) { return h.Workspaces.TokenByGoogle(ctx, in.Body.Token) })
}
