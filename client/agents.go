package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// OnlyAgent names the agent of a workspace that has just one.
const OnlyAgent = "-"

// WorkspaceAgentLogs gives lines of an agent's log behind after, as far as they
// are there; Next of the answer is the after of the next call.
func (c *Client) WorkspaceAgentLogs(ctx context.Context, workspace, agent, after string) (api.Logs, error) {
	return get[api.Logs](ctx, c, query(path("workspaces", workspace, "agents", agent, "logs"), "after", after))
}

// Ping measures the way from the relay to an agent and back.
func (c *Client) Ping(ctx context.Context, workspace, agent string) (api.Ping, error) {
	return get[api.Ping](ctx, c, path("workspaces", workspace, "agents", agent, "ping"))
}

// The calls below are an agent's own.

// AgentHello is an agent's first call, with its own token.
func (c *Client) AgentHello(ctx context.Context, in api.AgentHello) (api.Manifest, error) {
	return post[api.AgentHello, api.Manifest](ctx, c, "/agent/hello", in)
}

// AgentLifecycle reports how far an agent is with its scripts.
func (c *Client) AgentLifecycle(ctx context.Context, in api.AgentState) error {
	return tell(ctx, c, "/agent/lifecycle", in)
}

// AgentLogs ships lines of the calling agent's log.
func (c *Client) AgentLogs(ctx context.Context, in api.AgentLogs) error {
	return tell(ctx, c, "/agent/logs", in)
}

// AgentApps reports how the calling agent's apps are.
func (c *Client) AgentApps(ctx context.Context, in api.AgentApps) error {
	return tell(ctx, c, "/agent/apps", in)
}

// AgentSteps reports the steps of the calling agent's start, all of them.
func (c *Client) AgentSteps(ctx context.Context, in api.AgentSteps) error {
	return tell(ctx, c, "/agent/steps", in)
}
