package httpapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/workspaces"
)

// hooks are the steps that an agent takes at its start, in order.
var hooks = []api.Hook{
	{Kind: "identity", Name: "identity"},
	{Kind: "configure", Name: "configure"},
	{Kind: "personalize", Name: "personalize"},
	{Kind: "dotfiles", Name: "dotfiles"},
	{Kind: "scripts", Name: "start scripts"},
}

type agentHelloInput struct{ Body api.AgentHello }

func (h *handlers) agentHello(ctx context.Context, in *agentHelloInput) (*body[api.Manifest], error) {
	if in.Body.Protocol < api.OldestAgentProtocol {
		return nil, berth.InvalidField("protocol",
			"this agent is too old for the server (protocol %d, at least %d is needed): restart the workspace to get a new one", in.Body.Protocol, api.OldestAgentProtocol)
	}
	who, err := h.Workspaces.AgentForLink(ctx, requestOf(ctx).bearer)
	if err != nil {
		return nil, err
	}
	if err := h.onlyOne(ctx, who, in.Body.Boot); err != nil {
		return nil, err
	}
	if err := h.Workspaces.AgentHello(ctx, who, in.Body.Version, in.Body.Directory, in.Body.Boot); err != nil {
		return nil, err
	}
	before, err := h.Workspaces.StartedBefore(ctx, who)
	if err != nil {
		return nil, err
	}
	relay := who.Provider.RelayURL
	if relay == "" {
		relay = h.AccessURL
	}
	banner := ""
	if h.Banner != nil {
		banner = h.Banner()
	}
	return answered(api.Manifest{
		Protocol: api.AgentProtocol, AgentID: string(who.Agent.ID),
		OrganizationID: string(who.Workspace.OrganizationID), Organization: who.Organization, Provider: who.Provider.Name,
		WorkspaceID: string(who.Workspace.ID), WorkspaceName: who.Workspace.Name,
		OwnerName: who.Owner.Username, OwnerFullName: who.Owner.Name, OwnerEmail: who.Owner.Email,
		BuildID: string(who.Build.ID), BuildNumber: who.Build.Number, BuildReason: string(who.Build.Reason), FirstStart: !before,
		AccessURL: h.AccessURL, RelayURL: relay, VSCodeProxyURI: h.vscodeProxy(who), Agent: who.Agent.AgentSpec, Hooks: hooks, Banner: banner, Identity: true,
	}, nil)
}

// onlyOne refuses a process that would take the place of one that is linked and
// alive: its reports would count, and the other's would not. A process that
// follows one that died is let in at once, or when the dead one's link is found
// out. The refusal is no conflict: on that, agents number themselves anew.
func (h *handlers) onlyOne(ctx context.Context, who workspaces.AgentIdentity, boot int64) error {
	displaces, err := h.Workspaces.Displaces(ctx, who, boot)
	if err != nil || !displaces {
		return err
	}
	remote, alive := h.Relay.Alive(ctx, who.Agent.ID)
	if !alive {
		return nil
	}
	if err := h.Workspaces.SecondLink(ctx, who.Agent.ID, requestOf(ctx).remote); err != nil {
		return err
	}
	return &berth.Error{Code: berth.Unavailable, Field: "link",
		Message: fmt.Sprintf("this agent is linked already, from %s, and a second process with its token was refused", remote)}
}

type agentStateInput struct{ Body api.AgentState }

func (h *handlers) agentLifecycle(ctx context.Context, in *agentStateInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentLifecycle(ctx, requestOf(ctx).agent, in.Body.Boot, berth.AgentLifecycle(in.Body.Lifecycle), in.Body.At)
}

type agentStepsInput struct{ Body api.AgentSteps }

func (h *handlers) agentSteps(ctx context.Context, in *agentStepsInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentSteps(ctx, requestOf(ctx).agent, in.Body.Boot, in.Body.Steps)
}

type agentAppendInput struct{ Body api.AgentLogs }

// agentAppendLogs drops what is too much for a log without an error: the agent
// could do nothing about it but send it again.
func (h *handlers) agentAppendLogs(ctx context.Context, in *agentAppendInput) (*struct{}, error) {
	_, err := h.Workspaces.AppendAgentLogs(ctx, requestOf(ctx).agent, in.Body.Boot, in.Body.Lines)
	return nil, err
}

type agentTroubleInput struct{ Body api.AgentTrouble }

func (h *handlers) agentTrouble(ctx context.Context, in *agentTroubleInput) (*struct{}, error) {
	return nil, h.Workspaces.AgentTrouble(ctx, requestOf(ctx).agent, in.Body.Checks)
}

// agentLink hands an agent's websocket to the relay, which looks at the token
// again by itself.
func (h *handlers) agentLink(w http.ResponseWriter, r *http.Request) error {
	return h.Relay.ServeLink(w, r)
}

// vscodeProxy is where editors in the workspace find its ports, with {{port}} in
// the place of the port; empty where ports have no hosts of their own.
func (h *handlers) vscodeProxy(who workspaces.AgentIdentity) string {
	return h.origins().PortTemplate(berth.AppRef{Owner: who.Owner.Username, Workspace: who.Workspace.Name, Agent: who.Agent.Name})
}
