package agent

import (
	"context"
	"io"
)

// Main runs the agent's commands: `agent` (also when there is no argument) and
// `version`. It returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int { panic("not yet") }
