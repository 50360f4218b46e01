package cli

import (
	"context"
	"errors"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// entry says how a workspace is entered.
type entry struct {
	wait   string       // for start scripts: yes, no or auto
	starts bool         // a stopped workspace may be started
	reason berth.Reason // of that start
}

// enterable gives the workspace once its start is over, or says why nobody can
// enter it. Where e lets it, it starts a stopped one.
func (a *app) enterable(ctx context.Context, c *client.Client, t target, e entry) (api.Workspace, error) {
	w, _, err := a.find(ctx, c, t.full())
	if err != nil {
		return w, err
	}
	if e.starts && w.Status == string(berth.StatusStopped) {
		if w, err = a.startByConnection(ctx, c, w, t, e.reason); err != nil {
			return w, err
		}
	}
	if w, err = a.pastStop(ctx, c, w, t); err != nil {
		return w, err
	}
	b := w.Build
	if b.Transition == string(berth.Start) && b.CompletedAt == nil && w.Status != string(berth.StatusCanceling) {
		if _, err := a.follow(ctx, c, b, t.String(), hints(t, b.Number)...); err != nil {
			return w, err
		}
		if w, err = c.Workspace(ctx, w.ID); err != nil {
			return w, err
		}
	}
	if w.Status == string(berth.StatusRunning) {
		return w, nil
	}
	return w, closed(w, t)
}

// pastStop waits for the end of a stop that has a start behind it: who connects
// during a restart comes in when that is over.
func (a *app) pastStop(ctx context.Context, c *client.Client, w api.Workspace, t target) (api.Workspace, error) {
	b := w.Build
	if b.CompletedAt != nil || b.Next == nil || b.Next.Dropped != "" {
		return w, nil
	}
	if _, err := a.follow(ctx, c, b, t.String(), "it is started again by itself"); err != nil {
		return w, err
	}
	return c.Workspace(ctx, w.ID)
}

// closed says why a workspace that is not running cannot be entered.
func closed(w api.Workspace, t target) error {
	switch w.Status {
	case string(berth.StatusStopped):
		return berth.Errorf(berth.Conflict, "%s is stopped: start it with berth start %s", t, t)
	case string(berth.StatusStopping):
		return berth.Errorf(berth.Conflict, "%s is stopping: when that is over, connect again or start it with berth start %s", t, t)
	case string(berth.StatusFailed), string(berth.StatusCanceled):
		return berth.Errorf(berth.Conflict, "the last build of %s (%s) %s, and connections do not try again by themselves: see berth logs %s, then start it with berth start %s",
			t, w.Build.Transition, map[string]string{"failed": "failed", "canceled": "was canceled"}[w.Status], t, t)
	default:
		return berth.Errorf(berth.Conflict, "%s is %s: when that is over, start it with berth start %s", t, w.Status, t)
	}
}

// startByConnection asks for the start of a stopped workspace and gives it with
// the build that runs then. The server decides whether connections may; when
// another client was first, its build is the answer.
func (a *app) startByConnection(ctx context.Context, c *client.Client, w api.Workspace, t target, reason berth.Reason) (api.Workspace, error) {
	_, refused := c.CreateBuild(ctx, w.ID, api.CreateBuild{Transition: string(berth.Start), Reason: string(reason)})
	if refused != nil && !errors.Is(refused, berth.Conflict) {
		return w, refused
	}
	w, err := c.Workspace(ctx, w.ID)
	if err != nil {
		return w, err
	}
	if refused != nil && w.Status == string(berth.StatusStopped) {
		return w, refused
	}
	if refused == nil {
		a.tell("%s is stopped; starting it", t)
	}
	return w, nil
}
