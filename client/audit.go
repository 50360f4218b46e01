package client

import (
	"context"
	"io"

	"github.com/berthdev/berth/api"
)

// Audit lists what was done, newest first.
func (c *Client) Audit(ctx context.Context, l List) (api.Page[api.Audit], error) {
	return get[api.Page[api.Audit]](ctx, c, l.query("/audit"))
}

// ExportAudit is what was done until now as JSON lines, oldest first. The caller
// closes it. One that was cut does not end with io.EOF.
func (c *Client) ExportAudit(ctx context.Context, q string) (io.ReadCloser, error) {
	return c.download(ctx, query("/audit/export", "q", q))
}
