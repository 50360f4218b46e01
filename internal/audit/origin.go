package audit

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// WithOrigin says where what is done under ctx comes from: each row that is
// written under it carries that.
func WithOrigin(ctx context.Context, o berth.AuditOrigin) context.Context {
	return store.WithOrigin(ctx, o)
}
