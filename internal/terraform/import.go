package terraform

import (
	"context"

	"github.com/berthdev/berth"
)

// Import finds out what a template asks and makes, by planning a start and a
// stop of it. Nothing is changed.
func Import(ctx context.Context, o Options, sink Sink) (berth.Contents, error) { panic("not yet") }
