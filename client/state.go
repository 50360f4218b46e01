package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/berthdev/berth/api"
)

// State is the current Terraform state of a workspace, as Terraform wrote it.
func (c *Client) State(ctx context.Context, workspace string) ([]byte, error) {
	body, err := c.download(ctx, path("workspaces", workspace, "state"))
	if err != nil {
		return nil, err
	}
	defer drain(body)
	state, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	return state, nil
}

// PushState replaces the state of a workspace; it wants the same lineage and
// a higher serial. The old one is kept as a revision.
func (c *Client) PushState(ctx context.Context, workspace string, state []byte) (r api.StateRevision, err error) {
	err = c.upload(ctx, request{method: http.MethodPut, path: path("workspaces", workspace, "state"),
		contentType: api.StateType, body: bytes.NewReader(state)}, &r)
	return r, err
}

// RestoreState makes a kept revision the current state of a workspace again.
func (c *Client) RestoreState(ctx context.Context, workspace string, revision int64) (api.StateRevision, error) {
	return post[api.RestoreState, api.StateRevision](ctx, c, path("workspaces", workspace, "state", "restore"), api.RestoreState{Revision: revision})
}

// LookAtWorkspace has what a workspace is made of compared with its state.
func (c *Client) LookAtWorkspace(ctx context.Context, workspace string) (api.Build, error) {
	return post[struct{}, api.Build](ctx, c, path("workspaces", workspace, "drift"), struct{}{})
}

// StateRevisions lists the kept revisions of a workspace's state, newest first.
func (c *Client) StateRevisions(ctx context.Context, workspace string, l List) (api.Page[api.StateRevision], error) {
	return get[api.Page[api.StateRevision]](ctx, c, l.query(path("workspaces", workspace, "state", "versions")))
}
