package client

import (
	"context"

	"github.com/berthdev/berth/api"
)

// Quota is what a user ("me": the caller) may spend in an organization, and does.
func (c *Client) Quota(ctx context.Context, organization, user string) (api.Quota, error) {
	return get[api.Quota](ctx, c, path("organizations", organization, "members", user, "quota"))
}

// CostOf says which start is thought of, beside its version.
type CostOf struct {
	Preset    string // as for the start itself
	Owner     string // of a new workspace; empty: the caller
	Workspace string // id, of one that is there
	Answers   bool   // other answers than the workspace has are to be given
	Restart   bool   // the workspace is stopped first
}

// VersionCost is what a start from a version is likely to cost.
func (c *Client) VersionCost(ctx context.Context, organization, template, version string, of CostOf) (api.Cost, error) {
	yes := map[bool]string{true: "true"}
	return get[api.Cost](ctx, c, query(path("organizations", organization, "templates", template, "versions", version, "cost"),
		"preset", of.Preset, "owner", of.Owner, "workspace", of.Workspace, "answers", yes[of.Answers], "restart", yes[of.Restart]))
}
