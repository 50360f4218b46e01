package httpapi

import (
	"context"

	"github.com/berthdev/berth/api"
)

type agentAppsInput struct{ Body api.AgentApps }

func (h *handlers) agentApps(ctx context.Context, in *agentAppsInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentApps(ctx, requestOf(ctx).agent, in.Body.Boot, in.Body.Health)
}
