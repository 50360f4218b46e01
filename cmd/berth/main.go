// Command berth is the server and the command line of Berth.
package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/berthdev/berth/internal/cli"
	"github.com/berthdev/berth/internal/server"
	"github.com/berthdev/berth/internal/trial"
)

func main() {
	ctx := context.Background()
	if len(os.Args) < 2 || os.Args[1] != "keeper" { // a keeper has rules of its own for signals
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends it at once
	}
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, slices.Concat(server.Commands(), trial.Commands())...))
}
