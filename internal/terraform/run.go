package terraform

import "context"

// Run does one build: plan, judge, apply. When ctx ends, terraform is
// interrupted and may finish what it is doing; when o.Kill is closed, it and
// its plugins are killed. Either way Run returns once they are gone. Errors
// are *RunError around *berth.Error.
func Run(ctx context.Context, o Options, sink Sink, judge Judge) (Result, error) { panic("not yet") }
