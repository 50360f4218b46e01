package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/httpapi"
	"github.com/berthdev/berth/internal/runner"
)

// Commands are the server's part of the command line.
func Commands() []*cobra.Command {
	return []*cobra.Command{serverCommand(), keeperCommand(), openapiCommand(), configCommand()}
}

func serverCommand() *cobra.Command {
	var o Options
	c := &cobra.Command{
		Use:   "server",
		Short: "Run a server",
		Long: "Run a server: API, queue, relay and the runner of the built-in workspace provider.\n\n" +
			"Every setting can be given as a variable too; docs/config.md lists them. SIGTERM and SIGINT stop it;\n" +
			"builds that are running go on and are found again. A second signal ends it at once.",
		Example: "  berth server\n  berth server --data /var/lib/berth --access-url https://berth.example.com\n  berth server --database-url postgres://berth@db/berth",
		Args:    cobra.NoArgs,
	}
	c.AddCommand(rotateKeysCommand(), createAdminCommand())
	bad := o.bind(c.Flags(), os.Getenv)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if bad != nil {
			return bad
		}
		return run(c.Context(), o, c.OutOrStdout())
	}
	return c
}

// run serves until a signal, or until something fails that the server cannot
// do without.
func run(ctx context.Context, o Options, out io.Writer) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	type started struct {
		s   *Server
		err error
	}
	begun := make(chan started, 1)
	go func() {
		s, err := Start(starting, o)
		begun <- started{s, err}
	}()
	var s *Server
	select {
	case b := <-begun:
		if b.err != nil && ctx.Err() != nil {
			return berth.Errorf(berth.Unavailable, "the server was stopped while it was starting")
		}
		if b.err != nil {
			return b.err
		}
		s = b.s
	case sig := <-signals:
		cancel()
		if b := <-begun; b.s != nil {
			b.s.Stop(ctx)
		}
		return berth.Errorf(berth.Unavailable, "the server was stopped by %s while it was starting", sig)
	}
	s.greet(ctx, out)

	var failure error
	select {
	case <-ctx.Done():
		// Whoever gave us ctx may have ended it for the signal that we are about
		// to get too; it must not count as the second one.
		select {
		case <-signals:
		case <-time.After(100 * time.Millisecond):
		}
		s.log.Info("stopping; builds that are running go on")
	case sig := <-signals:
		s.log.Info("stopping; builds that are running go on", "signal", sig.String())
	case failure = <-s.Failed():
		s.log.Error("stopping: the server cannot go on", "error", failure)
	}
	stopping, hurry := context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	go func() {
		select {
		case <-signals:
			s.log.Warn("stopping at once")
			hurry()
		case <-stopping.Done():
		}
	}()
	if err := s.Stop(stopping); failure == nil {
		failure = err
	}
	return failure
}

// greet says where the server is and, when nobody is there yet, how to begin.
func (s *Server) greet(ctx context.Context, out io.Writer) {
	fmt.Fprintf(out, "Berth is up at %s\n", s.URL)
	if setup, err := s.parts.accounts.SetupRequired(ctx); err == nil && setup {
		fmt.Fprintf(out, "Nobody is here yet. Make the first user, who owns the site: berth login %s\n", s.URL)
	}
	if s.parts.runner != nil {
		if problem := s.parts.runner.Problem(); problem != "" {
			fmt.Fprintf(out, "Builds will wait: %s\n", problem)
		}
	}
}

// keeperCommand is what a runner starts for each build.
func keeperCommand() *cobra.Command {
	return &cobra.Command{
		Use: "keeper DIR", Short: "Run one build (used by runners)", Hidden: true, DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			os.Exit(runner.KeeperMain(args))
			return nil
		},
	}
}

func openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI document of the API", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			spec, err := httpapi.Spec()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(spec)
			return err
		},
	}
}

// configCommand prints docs/config.md.
func configCommand() *cobra.Command {
	return &cobra.Command{
		Use: "config-reference", Short: "Print the reference of the server's settings", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), Reference())
			return err
		},
	}
}
