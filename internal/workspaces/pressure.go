package workspaces

import (
	"context"
	"slices"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Pressed is what an agent says of memory ("") or a volume that is too full,
// and for how long it has been.
type Pressed struct {
	Path    string
	Percent int
	For     time.Duration
}

// AgentPressure records what of the computer of the agent's process boot is too
// full. What its template does not watch is dropped. It is shown as a warning
// and makes nothing unhealthy.
func (s *Service) AgentPressure(ctx context.Context, who AgentIdentity, boot int64, pressed []Pressed) error {
	now := time.Now().UTC()
	found := []berth.Pressure{}
	for _, watched := range thresholds(who.Agent.Monitoring) {
		i := slices.IndexFunc(pressed, func(p Pressed) bool { return p.Path == watched.Path })
		if i < 0 {
			continue
		}
		p := pressed[i]
		found = append(found, berth.Pressure{Path: watched.Path, Limit: watched.Percent,
			Percent: min(max(p.Percent, 0), 100), Since: now.Add(-min(max(p.For, 0), now.Sub(who.Agent.CreatedAt)))})
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		ok, err := tx.AgentPressure(who.Agent.ID, boot, found)
		if err == nil && !ok {
			return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
		}
		if err != nil {
			return err
		}
		return s.tellPressure(tx, who, found)
	})
}

// tellPressure tells the owner of what was not too full before.
func (s *Service) tellPressure(tx *store.Tx, who AgentIdentity, found []berth.Pressure) error {
	if s.opt.Pressed == nil {
		return nil
	}
	for _, p := range found {
		if slices.ContainsFunc(who.Agent.Pressure, func(known berth.Pressure) bool { return known.Path == p.Path }) {
			continue
		}
		if err := s.opt.Pressed(tx, who.Workspace, p); err != nil {
			return err
		}
	}
	return nil
}

// thresholds are all that a template has watched; memory has no path.
func thresholds(m *berth.Monitoring) (all []berth.Threshold) {
	if m == nil {
		return nil
	}
	if m.Memory != nil {
		all = append(all, berth.Threshold{Percent: m.Memory.Percent})
	}
	return append(all, m.Volumes...)
}
