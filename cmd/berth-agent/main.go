// Command berth-agent is what runs inside a workspace.
package main

import (
	"context"
	"os"

	"github.com/berthdev/berth/internal/agent"
)

func main() {
	os.Exit(agent.Main(context.Background(), os.Args, os.Stdout, os.Stderr))
}
