package workspaces

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// AgentApps records how the apps of the agent's process boot are. What it says
// of apps that the template does not have is dropped.
func (s *Service) AgentApps(ctx context.Context, who AgentIdentity, boot int64, health map[string]string) error {
	known := map[string]string{}
	for _, app := range who.Agent.Apps {
		switch h := health[app.ID]; h {
		case berth.AppInitializing, berth.AppHealthy, berth.AppUnhealthy:
			known[app.ID] = h
		}
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		ok, err := tx.AgentApps(who.Agent.ID, boot, known)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		return err
	})
}
