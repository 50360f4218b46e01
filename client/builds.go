package client

import (
	"context"
	"iter"
	"strconv"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// CreateBuild queues a start, stop, restart, rebuild or delete of a workspace.
func (c *Client) CreateBuild(ctx context.Context, workspace string, in api.CreateBuild) (api.Build, error) {
	return post[api.CreateBuild, api.Build](ctx, c, path("workspaces", workspace, "builds"), in)
}

// WorkspaceBuilds lists the builds of a workspace, newest first.
func (c *Client) WorkspaceBuilds(ctx context.Context, workspace string, l List) (api.Page[api.Build], error) {
	return get[api.Page[api.Build]](ctx, c, l.query(path("workspaces", workspace, "builds")))
}

// WorkspaceBuild is a workspace's build number n.
func (c *Client) WorkspaceBuild(ctx context.Context, workspace string, n int) (api.Build, error) {
	return get[api.Build](ctx, c, path("workspaces", workspace, "builds", strconv.Itoa(n)))
}

// BuildTimings tells how long a workspace's build number n took.
func (c *Client) BuildTimings(ctx context.Context, workspace string, n int) (api.BuildTimings, error) {
	return get[api.BuildTimings](ctx, c, path("workspaces", workspace, "builds", strconv.Itoa(n), "timings"))
}

// Builds lists the builds that the caller may see, newest first.
func (c *Client) Builds(ctx context.Context, l List) (api.Page[api.Build], error) {
	return get[api.Page[api.Build]](ctx, c, l.query("/builds"))
}

// Build is one build, by id.
func (c *Client) Build(ctx context.Context, id string) (api.Build, error) {
	return get[api.Build](ctx, c, path("builds", id))
}

// CancelBuild asks for the end of a build: at once while it waits, by
// interrupting Terraform while it runs.
func (c *Client) CancelBuild(ctx context.Context, id string, in api.CancelBuild) (api.Build, error) {
	return post[api.CancelBuild, api.Build](ctx, c, path("builds", id, "cancel"), in)
}

// AbandonBuild gives up on a build whose runner does not report any more.
func (c *Client) AbandonBuild(ctx context.Context, id string) (api.Build, error) {
	return post[nothing, api.Build](ctx, c, path("builds", id, "abandon"), nothing{})
}

// BuildLogs gives the lines of a build's log behind line number after, as far
// as they are there.
func (c *Client) BuildLogs(ctx context.Context, id, after string, limit int) (api.Logs, error) {
	return get[api.Logs](ctx, c, List{After: after, Limit: limit}.query(path("builds", id, "logs")))
}

// BuildEvent is news of a build: a line of its log, or the build as it is now.
// One of the two is set.
type BuildEvent struct {
	Log   *berth.Log
	Build *api.Build
}

// WatchBuild gives the lines of a build's log behind number after, and the
// build at every change, until it has ended: the last event is then a Build
// whose CompletedAt is set. A connection that breaks is made again where it was.
func (c *Client) WatchBuild(ctx context.Context, id string, after int64) iter.Seq2[BuildEvent, error] {
	return func(yield func(BuildEvent, error) bool) {
		from := func() string {
			return query(path("builds", id, "events"), "after", strconv.FormatInt(after, 10))
		}
		err := c.watch(ctx, from, func(e event) (bool, error) {
			switch e.name {
			case "log":
				line, err := decode[berth.Log](e)
				if err != nil || line.Seq <= after {
					return err == nil, err
				}
				after = line.Seq
				return yield(BuildEvent{Log: &line}, nil), nil
			case "build":
				b, err := decode[api.Build](e)
				if err != nil {
					return false, err
				}
				return yield(BuildEvent{Build: &b}, nil) && b.CompletedAt == nil, nil
			}
			return true, nil
		})
		if err != nil {
			yield(BuildEvent{}, err)
		}
	}
}
