package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
	"github.com/berthdev/berth/internal/agent/activity"
	"github.com/berthdev/berth/internal/agent/doctor"
	"github.com/berthdev/berth/internal/agent/ports"
	"github.com/berthdev/berth/internal/agent/shell"
	"github.com/berthdev/berth/internal/agent/terminal"
	"github.com/berthdev/berth/internal/tunnel"
)

// flushTime bounds how long an agent that ends sends its last words.
const flushTime = 5 * time.Second

// server is what the agent calls; *client.Client is one.
type server interface {
	AgentHello(ctx context.Context, in api.AgentHello) (api.Manifest, error)
	AgentLifecycle(ctx context.Context, in api.AgentState) error
	AgentLogs(ctx context.Context, in api.AgentLogs) error
	AgentApps(ctx context.Context, in api.AgentApps) error
	AgentSteps(ctx context.Context, in api.AgentSteps) error
	AgentActivity(ctx context.Context, in api.AgentActivity) error
	AgentPressure(ctx context.Context, in api.AgentPressure) error
	AgentTrouble(ctx context.Context, in api.AgentTrouble) error
	AgentLink(ctx context.Context, relayURL string) (net.Conn, error)
}

// agent is the running process.
type agent struct {
	config Config
	server server
	serve  func(ctx context.Context, link net.Conn, h tunnel.Handler) error
	log    *slog.Logger
	boot   int64 // start of the process, Unix ms; changes only in greet

	manifest     atomic.Pointer[api.Manifest] // the newest
	identity     atomic.Pointer[api.Identity] // the newest; nil before the first
	identified   chan struct{}                // closed once the first identity is in effect
	applying     sync.Mutex                   // held while an identity is put into effect
	troubles     []string                     // what of the newest identity is not in effect; under applying
	identifyOver bool                         // the step has told of them, or waits no more; under applying
	local        *http.ServeMux               // what the workspace's own programs can ask; see socket.go
	socket       string                       // path of that socket; empty: there is none
	configure    []string                     // where an image may have its hook
	patience     patience
	directory    atomic.Pointer[string] // where scripts and sessions start
	dataDir      string                 // empty when there is no place for one
	sessions     *shell.Server
	streams      *tunnel.Keeper // over all links
	terminals    *terminal.Terminals
	metadata     *metadata
	linked       chan struct{} // closed at the first link
	linkedOnce   sync.Once
	lines        *logQueue
	states       *stateQueue
	steps        *stepQueue
	activity     *activity.Collector
	doctor       *doctor.Doctor
}

// Run is the agent's whole life. When ctx ends it shuts down in order: sessions
// closed, stop scripts run, their logs and the last state sent for at most 5 s.
// An error means that it could not begin; it never ends for lack of a server.
func Run(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Version == "" {
		c.Version = berth.Release
	}
	calls, err := client.New(c.URL, c.Token, client.WithProgram("berth-agent", c.Version))
	if err != nil {
		return err
	}
	defer calls.Close()
	a, err := newAgent(c, calls, serveLink)
	if err != nil {
		return err
	}
	a.run(ctx)
	return nil
}

func newAgent(c Config, s server, serve func(context.Context, net.Conn, tunnel.Handler) error) (*agent, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	a := &agent{
		config: c, server: s, serve: serve, log: c.Log,
		boot: time.Now().UnixMilli(), linked: make(chan struct{}), activity: activity.New(c.Log, s.AgentActivity),
		streams:    tunnel.NewKeeper(),
		identified: make(chan struct{}), local: http.NewServeMux(),
		configure: configureHooks, patience: usualPatience,
	}
	a.lines = newLogQueue(a.log, s.AgentLogs)
	a.states = newStateQueue(a.log, s.AgentLifecycle)
	a.steps = newStepQueue(a.log, s.AgentSteps)
	a.doctor = doctor.New(a.log, s.AgentTrouble)
	a.localRoutes()
	sessions, err := shell.New(shell.Options{Env: a.environment, Dir: a.dir, MOTD: a.motd, Evidence: a.activity, Banner: a.banner, Log: a.log,
		Screen: func() shell.Screen { return terminal.NewScreen() }})
	if err != nil {
		return nil, fmt.Errorf("making the SSH server: %w", err)
	}
	a.sessions = sessions
	a.terminals = a.newTerminals()
	a.metadata = newMetadata(a)
	return a, nil
}

// run lives until ctx ends, and then shuts down.
func (a *agent) run(ctx context.Context) {
	// What is sent to the server goes on while the agent shuts down.
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	var senders sync.WaitGroup
	senders.Go(func() { a.lines.Run(sending) })
	senders.Go(func() { a.states.Run(sending) })
	senders.Go(func() { a.steps.Run(sending) })
	senders.Go(func() { a.activity.Run(sending) })
	defer senders.Wait()
	defer stopSending()

	a.log.Info("agent starts", "version", a.config.Version, "server", a.config.URL)
	if !a.greet(ctx) {
		return
	}
	a.settle()
	defer a.serveLocal()()

	linking, unlink := context.WithCancel(ctx)
	var links sync.WaitGroup
	links.Go(func() { a.link(linking) })
	links.Go(func() { ports.NewHealth(a.log, a.boot, a.apps, a.server.AgentApps).Run(linking) })
	links.Go(func() { a.newKeepAwake().Run(linking) })
	links.Go(func() { a.newMonitor().run(linking) })
	scripts := a.newScripts()
	work, stopWork := context.WithCancel(ctx)
	var hooks sync.WaitGroup
	hooks.Go(func() { a.start(work, scripts) })

	<-ctx.Done()
	a.log.Info("agent shuts down")
	a.states.set(berth.AgentShuttingDown)
	a.terminals.Close()
	a.metadata.close()
	a.sessions.Close()
	a.streams.Close("the workspace stops")
	unlink()
	stopWork()
	hooks.Wait()
	links.Wait()
	a.stop(context.WithoutCancel(ctx), scripts)
	a.flush(sending)
}

// apps are those of the template, as it has them now.
func (a *agent) apps() []berth.App { return a.manifest.Load().Agent.Apps }

// newKeepAwake looks with the newest manifest: it may change with each link.
func (a *agent) newKeepAwake() *activity.KeepAwake {
	env := func() map[string]string { return a.manifest.Load().Agent.Env }
	return activity.NewKeepAwake(a.activity, a.config.Token, env, func(text string) { a.say("warn", "", text) })
}

// flush waits until the last lines and states are with the server.
func (a *agent) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	a.activity.Flush(ctx)
	if !a.lines.Flush(ctx) || !a.states.Flush(ctx) || !a.steps.Flush(ctx) {
		a.log.Warn("the server is away; the last lines of the log are lost")
	}
}
