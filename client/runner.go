package client

import (
	"context"
	"io"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// The calls of a runner, with its provider's token. A conflict from one that
// names a build and an attempt means that the build is not the runner's any more.

// RunnerHello is a runner's first call; it tells which builds it still holds.
func (c *Client) RunnerHello(ctx context.Context, in api.RunnerHello) (api.RunnerWelcome, error) {
	return post[api.RunnerHello, api.RunnerWelcome](ctx, c, "/runner/hello", in)
}

// Take waits for a build for as long as in says; nil, nil when there was none.
func (c *Client) Take(ctx context.Context, in api.Take) (*api.Job, error) {
	return post[api.Take, *api.Job](ctx, c, "/runner/take", in)
}

// RunnerBeat renews the lease of a build.
func (c *Client) RunnerBeat(ctx context.Context, build string, in api.Beat) (api.BeatAnswer, error) {
	return post[api.Beat, api.BeatAnswer](ctx, c, path("runner", "builds", build, "beat"), in)
}

// RunnerLogs ships log lines of a build; lines that are there already are kept once.
func (c *Client) RunnerLogs(ctx context.Context, build string, in api.RunnerLogs) error {
	return tell(ctx, c, path("runner", "builds", build, "logs"), in)
}

// RunnerState ships a revision of the state.
func (c *Client) RunnerState(ctx context.Context, build string, in api.RunnerState) error {
	return tell(ctx, c, path("runner", "builds", build, "state"), in)
}

// RunnerJudge asks whether a plan may be applied.
func (c *Client) RunnerJudge(ctx context.Context, build string, in api.RunnerPlan) (berth.Verdict, error) {
	return post[api.RunnerPlan, berth.Verdict](ctx, c, path("runner", "builds", build, "judge"), in)
}

// RunnerFinish ends a build.
func (c *Client) RunnerFinish(ctx context.Context, build string, in api.Finish) error {
	return tell(ctx, c, path("runner", "builds", build, "finish"), in)
}

// RunnerArchive is the template archive of this hash, as a tar. The caller closes it.
func (c *Client) RunnerArchive(ctx context.Context, hash string) (io.ReadCloser, error) {
	return c.download(ctx, path("runner", "archives", hash))
}
