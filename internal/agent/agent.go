package agent

import (
	"context"
	"log/slog"
)

// Config is what an agent needs to know before it has spoken to the server.
type Config struct {
	URL     string // of the server, as the workspace reaches it
	Token   string // proves which agent this is
	Version string // of this binary
	LogDir  string // where relative log_path of scripts go; empty: the temporary directory
	DataDir string // holds links and data of scripts; empty: made in the temporary directory
	Log     *slog.Logger
}

// Run is the agent's whole life. When ctx ends it shuts down in order: sessions
// closed, stop scripts run, their logs and the last state sent for at most 5 s.
// An error means that it could not begin; it never ends for lack of a server.
func Run(ctx context.Context, c Config) error { panic("not yet") }
