package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/lint"
)

// Life is what `berth templates test --json` prints: the life of one workspace.
type Life struct {
	OK        bool            `json:"ok"`
	Steps     []Step          `json:"steps"`
	Resources []string        `json:"resources,omitempty"` // that the start made
	Kept      []string        `json:"kept,omitempty"`      // of these, what outlived the stop
	Findings  []berth.Finding `json:"findings,omitempty"`
}

// Step is one thing that was tried.
type Step struct {
	Name    string  `json:"name"` // import, create, agent, stop, start, agent, delete
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
	Detail  string  `json:"detail,omitempty"`
}

func testCommand() *cobra.Command {
	var s settings
	var preset string
	var given []string
	var noAgent, asJSON bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Let a workspace of a template live: create, stop, start, delete",
		Long: `Import the template in a directory, by default this one, and make a real workspace
of it: create it, wait for its agents, stop it, start it again, wait once more, and
delete it. It says what each step took, what was made and what outlived the stop.

This happens in a private server of this command, which goes when it ends; only
what the template makes is real, and it is deleted at the end, also after a failure.
Computers must reach the server: those that are no processes of this machine need
--listen and --access-url, as a container on a bridge does.

It ends with 6 when a step failed.`,
		Example: "  berth templates test ./process\n  berth templates test ./docker --variable network_mode=host\n" +
			"  berth templates test ./docker --listen 172.17.0.1:0 --parameter memory=512 --json",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: directories,
	}
	f := c.Flags()
	s.bind(f)
	f.StringVar(&s.listen, "listen", "127.0.0.1:0", "`address` and port of the private server")
	f.StringVar(&s.accessURL, "access-url", "", "`URL` by which its workspaces reach it")
	f.StringArrayVar(&given, "parameter", nil, "an answer, as `name=value`; may be repeated")
	f.StringVar(&preset, "preset", "", "`name` of a preset to answer with")
	f.DurationVar(&wait, "agent-wait", 2*time.Minute, "how long agents may take to connect")
	f.BoolVar(&noAgent, "no-agent", false, "do not wait for agents")
	f.BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "."
		if len(args) > 0 {
			dir = args[0]
		}
		variables, err := answers("--variable", s.variables)
		if err != nil {
			return err
		}
		parameters, err := answers("--parameter", given)
		if err != nil {
			return err
		}
		r, err := open(c.Context(), s, c.ErrOrStderr())
		if err != nil {
			return err
		}
		defer r.close()
		l := life{room: r, dir: dir, variables: variables, parameters: parameters, preset: preset, shown: c.OutOrStdout()}
		if !noAgent {
			l.wait = wait
		}
		if asJSON {
			l.shown = io.Discard
		}
		l.run(c.Context())
		if asJSON {
			if err := printJSON(c.OutOrStdout(), l.Life); err != nil {
				return err
			}
		} else {
			l.summary(c.OutOrStdout())
		}
		if !l.OK {
			return exit(6)
		}
		return nil
	}
	return c
}

// life is one under way.
type life struct {
	Life
	*room
	dir                   string
	variables, parameters map[string]string
	preset                string
	wait                  time.Duration // for agents; 0: not at all
	shown                 io.Writer     // steps as they end

	workspace string // once it is there
}

// step does one thing and notes how it went; false when it failed.
func (l *life) step(name string, do func() (detail string, err error)) bool {
	began := time.Now()
	detail, err := do()
	s := Step{Name: name, Seconds: time.Since(began).Round(10 * time.Millisecond).Seconds(), Detail: detail}
	mark := "ok"
	if err != nil {
		s.Error, mark = problem(err), "FAILED"
	}
	l.Steps = append(l.Steps, s)
	fmt.Fprintf(l.shown, "%-7s %-7s %6.2f s  %s\n", name, mark, s.Seconds, firstOf(s.Error, s.Detail))
	return err == nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return strings.ReplaceAll(t, "\n", "\n"+strings.Repeat(" ", 27))
		}
	}
	return ""
}

// run goes through all steps until one fails; what was made is deleted in any
// case, also when ctx ends.
func (l *life) run(ctx context.Context) {
	l.OK = l.step("import", func() (string, error) { return l.importStep(ctx) }) &&
		l.step("create", func() (string, error) { return l.create(ctx) }) &&
		l.agents(ctx) &&
		l.step("stop", func() (string, error) { return l.stop(ctx) }) &&
		l.step("start", func() (string, error) { return l.build(ctx, berth.Start) }) &&
		l.agents(ctx)
	if l.workspace == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
	defer cancel()
	l.OK = l.step("delete", func() (string, error) { return l.build(ctx, berth.Delete) }) && l.OK
}

func (l *life) importStep(ctx context.Context) (string, error) {
	v, err := l.imported(ctx, l.dir, l.variables)
	if err != nil {
		return "", err
	}
	l.Findings = v.Findings
	return fmt.Sprintf("%s, %s", count(len(v.Parameters), "parameter"), count(len(v.Findings), "finding")), nil
}

func (l *life) create(ctx context.Context) (string, error) {
	w, err := l.CreateWorkspace(ctx, api.CreateWorkspace{Name: "trial", Template: template, Parameters: l.parameters, Preset: l.preset})
	if err != nil {
		return "", err
	}
	l.workspace = w.ID
	if _, err := l.room.wait(ctx, w.Build.ID); err != nil {
		return "", err
	}
	l.Resources, err = l.resources(ctx)
	return strings.Join(l.Resources, " "), err
}

// resources are the addresses of what the workspace has.
func (l *life) resources(ctx context.Context) ([]string, error) {
	w, err := l.Workspace(ctx, l.workspace)
	if err != nil {
		return nil, err
	}
	var list []string
	b, err := l.Build(ctx, w.Build.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range b.Resources {
		list = append(list, r.Address)
	}
	return list, nil
}

func (l *life) build(ctx context.Context, t berth.Transition) (string, error) {
	b, err := l.CreateBuild(ctx, l.workspace, api.CreateBuild{Transition: string(t)})
	if err != nil {
		return "", err
	}
	_, err = l.room.wait(ctx, b.ID)
	return "", err
}

func (l *life) stop(ctx context.Context) (string, error) {
	if _, err := l.build(ctx, berth.Stop); err != nil {
		return "", err
	}
	kept, err := l.resources(ctx)
	if err != nil {
		return "", err
	}
	l.Kept = kept
	if len(kept) == 0 {
		return "nothing is kept", nil
	}
	return "kept: " + strings.Join(kept, " "), nil
}

// agents waits until all of them are connected and their start scripts have
// ended, which is what a person waits for.
func (l *life) agents(ctx context.Context) bool {
	if l.wait == 0 {
		return true
	}
	return l.step("agent", func() (string, error) {
		ctx, cancel := context.WithTimeout(ctx, l.wait)
		defer cancel()
		for {
			w, err := l.Workspace(ctx, l.workspace)
			if errors.Is(err, context.DeadlineExceeded) {
				err = berth.Errorf(berth.Unavailable, "the server does not answer")
			}
			if err != nil {
				return "", err
			}
			if len(w.Agents) == 0 {
				return "the template has none", nil
			}
			waiting, said, err := readiness(w.Agents)
			if err != nil || waiting == "" {
				return said, err
			}
			select {
			case <-ctx.Done():
				return "", berth.Errorf(berth.Unavailable, "%s after %s; the computer must reach the server at %s (--listen, --access-url)", waiting, l.wait, l.server.URL)
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
}

// readiness says which agent is not ready yet, or how all of them are. The error
// is that of a start that went wrong.
func readiness(agents []api.Agent) (waiting, said string, err error) {
	var list []string
	for _, a := range agents {
		if a.Outside && a.Status == string(berth.AgentConnecting) {
			list = append(list, a.Name+" would be started by hand")
			continue
		}
		if a.Status != string(berth.AgentConnected) {
			return fmt.Sprintf("the agent %s is %s", a.Name, a.Status), "", nil
		}
		switch berth.AgentLifecycle(a.Lifecycle) {
		case berth.AgentReady:
		case berth.AgentStartError, berth.AgentStartTimeout:
			return "", "", berth.Errorf(berth.Invalid, "a start script of the agent %s went wrong (%s)", a.Name, a.Lifecycle)
		default:
			return fmt.Sprintf("the start scripts of the agent %s have not ended", a.Name), "", nil
		}
		list = append(list, a.Name+" is ready")
	}
	return "", strings.Join(list, ", "), nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (l *life) summary(w io.Writer) {
	for _, f := range l.Findings {
		fmt.Fprintf(w, "%s: %s (%s)\n", f.Severity, lint.Say(f), f.Code)
	}
	if l.OK {
		fmt.Fprintln(w, "The template works.")
		return
	}
	fmt.Fprintln(w, "The template does not work here; --verbose shows what Terraform says.")
}
