package cli

import (
	"context"

	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// withClient calls do with a client of the server that the person is signed in
// to.
func (a *app) withClient(do func(*client.Client) error) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// withTarget calls do with the workspace that is named; the target may name one
// of its agents too.
func (a *app) withTarget(ctx context.Context, name string, do func(*client.Client, api.Workspace, target) error) error {
	return a.withFound(ctx, name, a.find, do)
}

// withWorkspace is withTarget for commands about a whole workspace.
func (a *app) withWorkspace(ctx context.Context, name string, do func(*client.Client, api.Workspace, target) error) error {
	return a.withFound(ctx, name, a.findOnly, do)
}

func (a *app) withFound(ctx context.Context, name string, find func(context.Context, *client.Client, string) (api.Workspace, target, error), do func(*client.Client, api.Workspace, target) error) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	w, t, err := find(ctx, c, name)
	if err != nil {
		return err
	}
	return do(c, w, t)
}

// withAgent is withTarget for commands about one agent: the one that is named,
// or the only one.
func (a *app) withAgent(ctx context.Context, name string, do func(*client.Client, api.Workspace, api.Agent, target) error) error {
	return a.withTarget(ctx, name, func(c *client.Client, w api.Workspace, t target) error {
		agent, err := chooseAgent(w, t)
		if err != nil {
			return err
		}
		return do(c, w, agent, t)
	})
}
