package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// doing says of a transition what goes on, and done what came of it.
var (
	doing = map[string]string{"start": "starting", "stop": "stopping", "delete": "deleting", "import": "importing"}
	done  = map[string]string{"start": "is running", "stop": "is stopped", "delete": "is deleted", "import": "is imported"}
)

// doingOf says what goes on in a build.
func doingOf(b api.Build) string {
	if b.LooksAt != "" {
		return "looking at"
	}
	return doing[b.Transition]
}

// follow shows a build on standard error until it ended. What is its
// workspace or version, as the person named it; the hints say how to go on
// when the person stops waiting. A build that did not succeed is a badBuild.
func (a *app) follow(ctx context.Context, c *client.Client, b api.Build, what string, hints ...string) (api.Build, error) {
	p := a.newProgress()
	defer p.end()
	stage := ""
	show := func() {
		switch {
		case b.Unreachable:
			p.say(fmt.Sprintf("%s %s: its runner does not report; it may still be running", doingOf(b), what))
		case b.Status == string(berth.BuildPending):
			p.say(fmt.Sprintf("%s %s: %s", doingOf(b), what, first(b.Waits, "waiting for a runner")))
		case b.Status == string(berth.BuildCanceling):
			p.say(fmt.Sprintf("canceling build of %s", what))
		case stage != "":
			p.say(fmt.Sprintf("%s %s: %s", doingOf(b), what, stage))
		default:
			p.say(fmt.Sprintf("%s %s", doingOf(b), what))
		}
	}
	show()
	for e, err := range c.WatchBuild(ctx, b.ID, 0) {
		switch {
		case ctx.Err() != nil:
			p.end()
			p.live = false
			a.leftAlone(b, what, hints)
			return b, status(exitInterrupted)
		case err != nil:
			return b, fmt.Errorf("watching the build: %w", err)
		case e.Log != nil:
			if e.Log.Stage != "" && e.Log.Stage != stage {
				stage = e.Log.Stage
				show()
			}
			if text, ok := a.logLine(*e.Log); ok {
				p.line(text)
			}
		case e.Build != nil:
			b = *e.Build
			show()
		}
	}
	if b.CompletedAt == nil {
		return b, berth.Errorf(berth.Unavailable, "lost sight of the build of %s; look at it with: berth show %s", what, what)
	}
	if b.Status != string(berth.BuildSucceeded) {
		return b, badBuild{b}
	}
	return b, nil
}

// leftAlone is said to a person who stops waiting.
func (a *app) leftAlone(b api.Build, what string, hints []string) {
	a.tell("The build goes on without you: %s %s.", doingOf(b), what)
	for _, h := range hints {
		a.tell("  %s", h)
	}
}

// logLine is a line of a build's log as it is shown while one waits.
func (a *app) logLine(l berth.Log) (string, bool) {
	text := clean(l.Text)
	switch l.Level {
	case "trace", "debug":
		return "", false
	case "error":
		return a.look.bad(text), true
	case "warn":
		return a.look.caution(text), true
	default:
		return a.look.dim(text), true
	}
}

// explain says why a build did not succeed and what can be done.
func (a *app) explain(b api.Build) {
	a.complain(badBuild{b}.Error())
	if b.Error != "" {
		a.tell("%s", clean(b.Error))
	}
	for _, r := range b.Refused {
		text := fmt.Sprintf("  %s would be %s", cell(r.Address), map[string]string{"delete": "deleted", "replace": "replaced", "forget": "forgotten"}[r.Action])
		for i, by := range r.Because {
			text += map[bool]string{true: ", because of ", false: ", "}[i == 0] + cell(by)
		}
		a.tell("%s", text)
	}
	switch {
	case len(b.Refused) > 0 && b.Workspace != "":
		again := ""
		for _, r := range b.Refused {
			again += fmt.Sprintf(" --allow-destroy %s", quoted(cell(r.Address)))
		}
		a.tell("Nothing was changed. To give them up, with all that is in them, repeat the command with:%s", again)
	case b.Workspace != "":
		a.tell("See its log with: berth logs %s --build %d", b.Workspace, b.Number)
	}
}

// quoted is s as a person would type it to a shell.
func quoted(s string) string {
	if strings.ContainsAny(s, " []\"'$*?(){}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func buildName(b api.Build) string {
	if b.Transition == "import" {
		return fmt.Sprintf("the import of %s, version %s,", b.Template, b.Version)
	}
	return fmt.Sprintf("build %d of %s (%s)", b.Number, b.Workspace, b.Transition)
}

// hints say how to go on with a workspace's build that is not waited for.
func hints(t target, number int) []string {
	return []string{
		fmt.Sprintf("watch it:  berth logs %s --build %d -f", t, number),
		fmt.Sprintf("cancel it: berth cancel %s", t),
	}
}

// run queues a build of a workspace and, unless told not to, waits for its end.
func (a *app) run(ctx context.Context, c *client.Client, w api.Workspace, t target, in api.CreateBuild, wait bool) error {
	in.Reason = string(berth.ReasonCLI)
	b, err := c.CreateBuild(ctx, w.ID, in)
	if errors.Is(err, berth.Conflict) && in.Transition != string(berth.Stop) && in.Transition != string(berth.Delete) {
		b, err = a.afterConnection(ctx, c, w, t, in, err)
	}
	if err != nil {
		return err
	}
	return a.await(ctx, c, b, t, wait)
}

// afterConnection queues a start that was refused, once a start is over that a
// connection made: an editor may have been a moment faster.
func (a *app) afterConnection(ctx context.Context, c *client.Client, w api.Workspace, t target, in api.CreateBuild, refused error) (api.Build, error) {
	w, err := c.Workspace(ctx, w.ID)
	if b := w.Build; err != nil || b.CompletedAt != nil || b.Transition != string(berth.Start) || !berth.Reason(b.Reason).Connection() {
		return api.Build{}, refused
	}
	a.tell("A connection is starting %s; the build that you want comes after it.", t)
	if _, err := a.follow(ctx, c, w.Build, t.String(), hints(t, w.Build.Number)...); err != nil {
		var bad badBuild
		if !errors.As(err, &bad) {
			return api.Build{}, err
		}
	}
	return c.CreateBuild(ctx, w.ID, in)
}

// await waits for a build of a workspace, and for the start that is wanted behind
// a stop, and says what came of it.
func (a *app) await(ctx context.Context, c *client.Client, b api.Build, t target, wait bool) error {
	began := time.Now()
	for {
		next := b.Next != nil
		hints := hints(t, b.Number)
		if !wait {
			a.say("%s %s: build %d is queued%s", doingOf(b), t, b.Number, map[bool]string{true: ", and its start behind it"}[next])
			for _, h := range hints {
				a.tell("  %s", h)
			}
			return nil
		}
		if next {
			hints = append(hints, "it is started again by itself")
		}
		var err error
		b, err = a.follow(ctx, c, b, t.String(), hints...)
		if next && errors.As(err, new(badBuild)) {
			a.tell("%s was not stopped, so it was not started again.", t)
		}
		if err != nil {
			return err
		}
		if !next {
			a.say("%s %s (%s)", t, done[b.Transition], time.Since(began).Round(100*time.Millisecond))
			if b.Transition == string(berth.Start) {
				a.waits(ctx, c, b)
			}
			return nil
		}
		if b, err = behind(ctx, c, b, t); err != nil {
			return err
		}
	}
}

// waits says of a workspace that was started what it waits for.
func (a *app) waits(ctx context.Context, c *client.Client, b api.Build) {
	if w, err := c.Workspace(ctx, b.WorkspaceID); err == nil && w.Healthy && w.Health != "" {
		a.tell("It %s", cell(w.Health))
	}
}

// behind is the start that was queued when a stop ended.
func behind(ctx context.Context, c *client.Client, stop api.Build, t target) (api.Build, error) {
	stop, err := c.Build(ctx, stop.ID)
	if err != nil {
		return stop, err
	}
	if stop.Next != nil && stop.Next.Dropped != "" {
		return stop, berth.Errorf(berth.Conflict, "%s is stopped, but it was not started again: %s", t, stop.Next.Dropped)
	}
	return c.WorkspaceBuild(ctx, stop.WorkspaceID, stop.Number+1)
}
