package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// asking is how long it may take to find out why a connection ended.
const asking = 5 * time.Second

// whyEnded makes of an error of a connection that was open the reason that the
// server knows: that the workspace was stopped, say. Other errors stay.
func (a *app) whyEnded(ctx context.Context, c *client.Client, t target, err error) error {
	if ctx.Err() != nil || !errors.Is(err, berth.Unavailable) {
		return err
	}
	if why := a.ending(ctx, c, t); why != "" {
		return berth.Errorf(berth.Unavailable, "%s", why)
	}
	return err
}

// ending says what of the workspace ended its connections, "" when it is none
// of its builds.
func (a *app) ending(ctx context.Context, c *client.Client, t target) string {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	w, err := c.FindWorkspace(ctx, t.owner, t.name)
	if errors.Is(err, berth.NotFound) && t.owner != "me" {
		return fmt.Sprintf("%s was deleted, or is not shared with you any more: the connection ended with that", t)
	}
	if errors.Is(err, berth.NotFound) {
		return fmt.Sprintf("%s is not there any more: the connection ended with it", t)
	}
	if err != nil {
		return ""
	}
	return endedBy(w, t)
}

// endedBy says how the newest build of a workspace ended its connections.
func endedBy(w api.Workspace, t target) string {
	b := w.Build
	now := b.CompletedAt == nil
	what, ok := map[string]map[bool]string{
		string(berth.Stop):   {true: "is being stopped", false: "was stopped"},
		string(berth.Delete): {true: "is being deleted", false: "was deleted"},
		string(berth.Start):  {true: "is being started anew"},
	}[b.Transition][now]
	if !ok || b.Status == string(berth.BuildPending) {
		return ""
	}
	text := fmt.Sprintf("%s %s by %s (build %d, %s): the connection ended with it", t, what, b.Initiator, b.Number, b.Reason)
	if b.Transition == string(berth.Stop) {
		text += fmt.Sprintf("; start it with berth start %s", t)
	}
	return clean(text)
}
