package cli

import (
	"context"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// target is what a person names: ws, owner/ws, ws.agent or owner/ws.agent.
type target struct{ owner, name, agent string }

func parseTarget(s string) (target, error) {
	t := target{owner: "me", name: s}
	if owner, rest, found := strings.Cut(s, "/"); found {
		t.owner, t.name = owner, rest
	}
	if name, agent, found := strings.Cut(t.name, "."); found {
		t.name, t.agent = name, agent
		if !berth.ValidAgentName(agent) {
			return t, usagef("%q: %q is not the name of an agent; give WORKSPACE, OWNER/WORKSPACE or either with .AGENT", s, agent)
		}
	}
	if berth.ValidateName("", t.owner) != nil || berth.ValidateName("", t.name) != nil {
		return t, usagef("%q is not a workspace: give WORKSPACE, OWNER/WORKSPACE or either with .AGENT", s)
	}
	return t, nil
}

// String is how the person would name the workspace again.
func (t target) String() string {
	if t.owner == "me" {
		return t.name
	}
	return t.owner + "/" + t.name
}

// find gives the workspace that s names.
func (a *app) find(ctx context.Context, c *client.Client, s string) (api.Workspace, target, error) {
	t, err := parseTarget(s)
	if err != nil {
		return api.Workspace{}, t, err
	}
	w, err := c.FindWorkspace(ctx, t.owner, t.name)
	if berth.ErrorCode(err) == berth.NotFound {
		err = berth.Errorf(berth.NotFound, "there is no workspace %s that you may see; berth list shows yours", t)
	}
	return w, t, err
}

// findOnly is find for commands about a whole workspace.
func (a *app) findOnly(ctx context.Context, c *client.Client, s string) (api.Workspace, target, error) {
	if t, err := parseTarget(s); err == nil && t.agent != "" {
		return api.Workspace{}, t, usagef("%q names an agent, this is about a whole workspace: give %s", s, t)
	}
	return a.find(ctx, c, s)
}
