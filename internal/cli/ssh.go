package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// sshFlags are the flags of `berth ssh`.
type sshFlags struct {
	stdio        bool
	wait         string
	forwardAgent bool
	env          []string
	suffix       string
	tty          bool
	noStart      bool
	prefix       string
	local, far   []string
	none         bool
	resumeFor    time.Duration
}

func (a *app) ssh() *cobra.Command {
	var f sshFlags
	cmd := &cobra.Command{
		Use:   "ssh WORKSPACE[.AGENT] [-- COMMAND...]",
		Short: "Open a shell in a workspace, or run a command there",
		Long: `Open a shell in a workspace, or run a command there: its words are joined by
spaces and given to the shell of the workspace, as OpenSSH does it. The exit
code is the command's; 255 when the connection fails.

A stopped workspace is started first, unless its settings (berth edit) or its
organization forbid that, or --disable-autostart is given. Then it waits for the
workspace's start and for its agent. --wait=auto
waits for start scripts only where the template says that they keep people out;
yes waits for them in any case, no for nothing.

A session outlives a lost network of under five minutes and a restart of the
server: it goes on where it was.

With --stdio it speaks the SSH protocol on standard input and output, for
OpenSSH's ProxyCommand; 'berth config-ssh' sets that up.`,
		Example: `  berth ssh web
  berth ssh ana/web.main -- git -C src pull
  tar c . | berth ssh web -- tar x -C src`,
		Args: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return usagef("name the workspace: berth ssh WORKSPACE")
			}
			return nil
		},
		ValidArgsFunction: a.workspaceNames,
		RunE: func(cmd *cobra.Command, given []string) error {
			err := a.connect(cmd.Context(), given[0], given[1:], f)
			var quiet status
			if err == nil || errors.As(err, &quiet) {
				return err
			}
			return connection{err}
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.stdio, "stdio", false, "speak SSH on standard input and output")
	fl.StringVar(&f.wait, "wait", "auto", "wait for start scripts: `yes, no or auto`")
	fl.BoolVarP(&f.forwardAgent, "forward-agent", "A", false, "let the workspace use your SSH agent")
	fl.StringArrayVarP(&f.env, "env", "e", nil, "set a variable there, as `name=value`; may be repeated")
	fl.BoolVarP(&f.tty, "tty", "t", false, "give a command a terminal too")
	fl.BoolVar(&f.noStart, "disable-autostart", false, "do not start the workspace when it is stopped")
	fl.StringArrayVarP(&f.local, "local-forward", "L", nil, "pass connections here to there, as `[address:]port:host:port`; may be repeated")
	fl.StringArrayVarP(&f.far, "remote-forward", "R", nil, "pass connections there to here, as `[address:]port:host:port`; may be repeated")
	fl.BoolVarP(&f.none, "no-command", "N", false, "run nothing, only forward")
	fl.StringVar(&f.suffix, "hostname-suffix", "", "the target is a host name that ends in a dot and this `suffix`, as config-ssh writes it")
	fl.StringVar(&f.prefix, "ssh-host-prefix", "", "the target is a host name that begins with this `prefix`, as config-ssh writes it")
	fl.DurationVar(&f.resumeFor, "resume-for", 0, "give up a lost connection after this `time`, 5m30s at most")
	_ = cmd.RegisterFlagCompletionFunc("wait", cobra.FixedCompletions([]string{"auto", "yes", "no"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) connect(ctx context.Context, name string, command []string, f sshFlags) error {
	if f.wait != "auto" && f.wait != "yes" && f.wait != "no" {
		return usagef("--wait: give yes, no or auto")
	}
	if f.stdio && len(command) > 0 {
		return usagef("--stdio takes no command: the program that speaks SSH has it")
	}
	if f.stdio && (len(f.local) > 0 || len(f.far) > 0 || f.none) || f.none && len(command) > 0 {
		return usagef("-L, -R and -N do not go together with --stdio, nor -N with a command")
	}
	if f.resumeFor < 0 {
		return usagef("--resume-for: give a time like 30s")
	}
	o := sessionOptions{command: strings.Join(command, " "), forwardAgent: f.forwardAgent, tty: f.tty, none: f.none}
	var err error
	if o.env, err = pairs("--env", f.env); err != nil {
		return err
	}
	if o.local, err = parseForwards("-L", f.local); err != nil {
		return err
	}
	if o.far, err = parseForwards("-R", f.far); err != nil {
		return err
	}
	t, err := parseTarget(targetOfHost(name, f.prefix, f.suffix))
	if err != nil {
		return err
	}
	c, err := a.client(client.WithRetry(20*time.Second), client.OnRetry(a.sayOnce("waiting for the server: %s")))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, stop := untilHangUp(ctx)
	defer stop()
	stream, err := a.reach(ctx, c, t, f.resumeFor, entry{wait: f.wait, starts: !f.noStart, reason: berth.ReasonSSH})
	if err != nil {
		return err
	}
	defer func() {
		stream.Close()
		<-stream.Done()
	}()
	if f.stdio {
		return a.stdio(ctx, stream, func() string { return a.ending(ctx, c, t) })
	}
	o.name = t.String()
	err = a.session(ctx, stream, o)
	return a.whyEnded(ctx, c, t, err)
}

// sayOnce tells of the first error and keeps quiet about the others.
func (a *app) sayOnce(format string) func(error) {
	said := false
	return func(err error) {
		if !said {
			said = true
			a.tell(format, clean(err.Error()))
		}
	}
}

// reach waits until the workspace can be entered and opens a stream to its SSH
// server.
func (a *app) reach(ctx context.Context, c *client.Client, t target, resumeFor time.Duration, e entry) (*client.Stream, error) {
	w, err := a.enterable(ctx, c, t, e)
	if err != nil {
		return nil, err
	}
	agent, err := chooseAgent(w, t)
	if err != nil {
		return nil, err
	}
	opts := a.resuming(t, resumeFor)
	if e.wait == "no" {
		return c.DialStream(ctx, w.ID, agent.Name, "ssh", opts...)
	}
	if err := a.awaitAgent(ctx, c, w, agent, t, e.wait == "yes"); err != nil {
		return nil, err
	}
	return a.dialLinked(ctx, c, w, agent, t, opts...)
}

// dialLinked opens a stream to the SSH server of an agent that counts as
// connected: after a restart of the server it may do so a moment before it is
// linked again.
func (a *app) dialLinked(ctx context.Context, c *client.Client, w api.Workspace, g api.Agent, t target, opts ...client.StreamOption) (*client.Stream, error) {
	tell := a.sayOnce("waiting for " + t.String() + ": %s")
	for end := time.Now().Add(relinking); ; {
		stream, err := c.DialStream(ctx, w.ID, g.Name, "ssh", opts...)
		if err == nil || !errors.Is(err, berth.Unavailable) || time.Now().After(end) {
			return stream, err
		}
		tell(err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// relinking is how long a stream is tried again while the agent is not linked.
const relinking = 30 * time.Second

// stdio copies between the stream and this process's own streams until the
// far side is done. The end of standard input is passed on and ends nothing:
// what the far side still has to say is waited for. When that ends first, which
// is not how SSH ends, why says what may have ended it.
func (a *app) stdio(ctx context.Context, stream *client.Stream, why func() string) error {
	defer context.AfterFunc(ctx, func() { stream.Close() })()
	var finished atomic.Bool
	go func() {
		_, _ = io.Copy(stream, a.in)
		finished.Store(true)
		_ = stream.CloseWrite()
	}()
	_, err := io.Copy(a.out, stream)
	if ctx.Err() != nil {
		return status(exitInterrupted)
	}
	if !finished.Load() && !brokenPipe(err) {
		if text := why(); text != "" {
			return berth.Errorf(berth.Unavailable, "%s", text)
		}
	}
	if err != nil && !brokenPipe(err) {
		return berth.Errorf(berth.Unavailable, "the connection ended: %v", err)
	}
	return nil
}

// chooseAgent gives the agent that is named, or the only one.
func chooseAgent(w api.Workspace, t target) (api.Agent, error) {
	var names []string
	for _, g := range w.Agents {
		if strings.EqualFold(g.Name, t.agent) {
			return g, nil
		}
		names = append(names, g.Name)
	}
	switch {
	case len(names) == 0 && w.Status != string(berth.StatusRunning):
		return api.Agent{}, berth.Errorf(berth.Conflict, "%s is %s; start it with: berth start %s", t, w.Status, t)
	case len(names) == 0:
		return api.Agent{}, berth.Errorf(berth.Conflict, "%s has no agent, so there is nothing to connect to: its template declares no coder_agent", t)
	case t.agent != "":
		return api.Agent{}, berth.Errorf(berth.NotFound, "%s has no agent %s; it has %s", t, t.agent, strings.Join(names, ", "))
	case len(names) > 1:
		return api.Agent{}, usagef("%s has several agents; name one: %s", t, t.with(strings.Join(names, " or "+t.String()+".")))
	}
	return w.Agents[0], nil
}

// with is how the person would name an agent of the workspace.
func (t target) with(agent string) string { return t.String() + "." + agent }
