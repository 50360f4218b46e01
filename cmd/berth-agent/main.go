// Command berth-agent is what runs inside a workspace: the agent, and under the
// names berth and coder, which the agent links to it, the command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/berthdev/berth/internal/agent"
	"github.com/berthdev/berth/internal/cli"
	"github.com/berthdev/berth/internal/inside"
)

func main() {
	ctx := context.Background()
	if !isCommandLine(os.Args) {
		os.Exit(agent.Main(ctx, os.Args, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, inside.Commands()...)
	stop()
	os.Exit(code)
}

// isCommandLine tells by the name that the program was called whether a person
// wants the command line. `coder agent` is the agent, as scripts write it.
func isCommandLine(args []string) bool {
	switch filepath.Base(args[0]) {
	case "berth", "coder":
		return len(args) < 2 || args[1] != "agent"
	}
	return false
}
