// Command berth-agent is what runs inside a workspace: the agent, and under the
// names berth, coder and berth-askpass, which the agent links to it, the command
// line.
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
	args, ok := commandLine(os.Args)
	if !ok {
		os.Exit(agent.Main(ctx, os.Args, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, args, os.Stdin, os.Stdout, os.Stderr, inside.Commands()...)
	stop()
	os.Exit(code)
}

// commandLine tells by the name that the program was called whether the command
// line is wanted, and with what. `coder agent` is the agent, as scripts write it;
// git can name a program to ask for passwords, but none of its arguments.
func commandLine(args []string) (rest []string, ok bool) {
	switch filepath.Base(args[0]) {
	case "berth", "coder":
		return args[1:], len(args) < 2 || args[1] != "agent"
	case agent.Askpass:
		return append([]string{"git-askpass", "--"}, args[1:]...), true
	}
	return nil, false
}
