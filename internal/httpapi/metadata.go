package httpapi

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/workspaces"
)

// lookAtAgent is how often a watcher of metadata looks whether the agent is
// still the workspace's, and may still be watched.
const lookAtAgent = 10 * time.Second

// watchMetadata answers with the values of an agent's metadata as they come.
func (h *handlers) watchMetadata(ctx context.Context, in *AgentInput) (*events, error) {
	a, err := h.Workspaces.FindAgent(ctx, actorOf(ctx), in.id(), in.Agent)
	if err != nil {
		return nil, err
	}
	feed, wakes, unwatch := h.feeds.watch(a.ID)
	changed, stop := h.Workspaces.WatchAdmission(workspaces.Admission{User: actorOf(ctx).UserID, Workspace: in.id()})
	leave := func() { stop(); unwatch() }
	sent, first, away, looked := int64(0), true, "", time.Now()
	return h.follow(ctx, wakes, leave, func(ctx context.Context, s *stream) (bool, error) {
		select {
		case <-changed:
			looked = time.Time{}
		default:
		}
		if time.Since(looked) > lookAtAgent {
			looked = time.Now()
			now, err := h.Workspaces.FindAgent(ctx, actorOf(ctx), in.id(), in.Agent)
			if berth.ErrorCode(err) == berth.Unavailable || berth.ErrorCode(err) == berth.Internal {
				return false, nil // the database is away; the values need none
			}
			if err != nil || now.ID != a.ID {
				return true, err // who comes back gets the agent of the new start
			}
		}
		values, last, why := feed.after(sent)
		if len(values) == 0 && why == away && !first {
			return false, nil
		}
		sent, away, first = last, why, false
		return s.send("metadata", "", api.MetadataEvent{Values: values, Items: len(a.Metadata), Away: why}) != nil, nil
	}), nil
}
