package agent

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/agent/spawn"
)

const help = `berth-agent is the process inside a workspace that people reach it through.

  berth-agent [agent]   run until SIGTERM; a second signal ends it at once
  berth-agent version

It reads CODER_AGENT_URL and CODER_AGENT_TOKEN (or BERTH_AGENT_URL and
BERTH_AGENT_TOKEN), which the init script of a template's coder_agent sets.
`

// Main runs the agent's commands: `agent` (also when there is no argument) and
// `version`. It returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := "agent"
	if len(args) > 1 {
		command = args[1]
	}
	switch command {
	case "agent":
		if needsInit() {
			return beInit(args, stderr)
		}
		return runAgent(ctx, stderr)
	case "version", "--version":
		fmt.Fprintln(stdout, berth.Release)
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(stdout, help)
		return 0
	default:
		fmt.Fprintf(stderr, "berth-agent: there is no command %q\n\n%s", command, help)
		return 2
	}
}

func runAgent(ctx context.Context, stderr io.Writer) int {
	level := slog.LevelInfo
	if os.Getenv("BERTH_AGENT_VERBOSE") != "" {
		level = slog.LevelDebug
	}
	out := openOwnLog(stderr, cmp.Or(os.Getenv("BERTH_AGENT_LOG_DIR"), os.TempDir()))
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	config, err := ConfigFromEnv()
	if err == nil {
		stayAlive()
		config.Log = log
		ctx, stop := untilSignal(ctx, log)
		defer stop()
		if config.Token == "" {
			config.Token, err = machineToken(ctx, config)
		}
		if err == nil {
			err = Run(ctx, config)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "berth-agent: %v\n", err)
		return 1
	}
	return 0
}

// The agent idles most of its life in computers whose memory is others', and
// has to live when they run out of memory and processes.
const (
	usualThreads = 24       // one waits for each process that it started; more are made while there is room
	usualProcs   = 4        // copying for people does not go faster with more
	collectAt    = 50       // GOGC: a small heap is worth some processor time
	softLimit    = 96 << 20 // bytes; above, it collects more often, and goes on
)

func stayAlive() {
	spawn.Protect()
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), usualProcs))
	spawn.Reserve(usualThreads)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// untilSignal ends ctx at the first SIGTERM or SIGINT and the process at the
// second. SIGHUP is taken and forgotten: ignoring it would make every program
// of the workspace ignore it.
func untilSignal(ctx context.Context, log *slog.Logger) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for s := range signals {
			if s == syscall.SIGHUP {
				continue
			}
			if ctx.Err() != nil {
				log.Warn("second signal; the agent ends at once")
				os.Exit(1)
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}
