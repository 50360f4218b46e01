package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"

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

// AskTicket gets the way into an app for this client's person.
func (c *Client) AskTicket(ctx context.Context, in api.AskTicket) (api.AppTicket, error) {
	return post[api.AskTicket, api.AppTicket](ctx, c, "/apps/tickets", in)
}

// Apps lists the apps and shared ports of a workspace.
func (c *Client) Apps(ctx context.Context, workspace string) (api.Page[api.WorkspaceApp], error) {
	return get[api.Page[api.WorkspaceApp]](ctx, c, path("workspaces", workspace, "apps"))
}

// OpenApp gets the address of an external app, with a fresh token where it
// wants one.
func (c *Client) OpenApp(ctx context.Context, workspace, agent, app string) (api.OpenApp, error) {
	return post[nothing, api.OpenApp](ctx, c, path("workspaces", workspace, "agents", agent, "apps", app, "open"), nothing{})
}

// Ports lists the ports that programs in a workspace listen on, and those that
// are shared.
func (c *Client) Ports(ctx context.Context, workspace, agent string) (api.Page[api.WorkspacePort], error) {
	return get[api.Page[api.WorkspacePort]](ctx, c, path("workspaces", workspace, "agents", agent, "ports"))
}

// SharePort lets others open a port.
func (c *Client) SharePort(ctx context.Context, workspace, agent string, port int, in api.SharePort) (api.WorkspacePort, error) {
	return call[api.SharePort, api.WorkspacePort](ctx, c, http.MethodPut, sharePath(workspace, agent, port), in)
}

// UnsharePort ends the share of a port.
func (c *Client) UnsharePort(ctx context.Context, workspace, agent string, port int) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, sharePath(workspace, agent, port), nothing{})
	return err
}

func sharePath(workspace, agent string, port int) string {
	return path("workspaces", workspace, "agents", agent, "ports", strconv.Itoa(port), "share")
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

// WatchMetadata gives what the scripts of an agent's metadata print, as it
// comes, for as long as it is ranged over. A connection that breaks is made
// again: then all values come anew.
func (c *Client) WatchMetadata(ctx context.Context, workspace, agent string) iter.Seq2[api.MetadataEvent, error] {
	return func(yield func(api.MetadataEvent, error) bool) {
		at := func() string { return path("workspaces", workspace, "agents", agent, "metadata") }
		err := c.watch(ctx, at, func(e event) (bool, error) {
			if e.name != "metadata" {
				return true, nil
			}
			m, err := decode[api.MetadataEvent](e)
			if err != nil {
				return false, err
			}
			return yield(m, nil), nil
		})
		if err != nil {
			yield(api.MetadataEvent{}, err)
		}
	}
}
