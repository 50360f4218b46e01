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

// StateRevisions lists the kept revisions of a workspace's state, newest first.
func (c *Client) StateRevisions(ctx context.Context, workspace string, l List) (api.Page[api.StateRevision], error) {
	return get[api.Page[api.StateRevision]](ctx, c, l.query(path("workspaces", workspace, "state", "versions")))
}
