package workspaces

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Shared is what is shared of a workspace.
type Shared struct {
	Workspace berth.Workspace
	Owner     string // username
	Status    berth.Status
	Agents    []berth.Agent
	Ports     []berth.PortShare // at the level that counts
	Max       berth.Share       // what the template allows
	Only      bool              // there is one agent: it may be left out of addresses
}

// SharedOf is what is shared of a workspace that the actor may see.
func (s *Service) SharedOf(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (found Shared, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		w, err := find(q, actor, authz.Read, id)
		if err != nil {
			return err
		}
		found, err = s.shared(q, w)
		return err
	})
	return found, err
}

func (s *Service) shared(q *store.Query, w berth.Workspace) (found Shared, err error) {
	row, err := q.WorkspaceRow(w.ID)
	if err != nil {
		return found, err
	}
	t, err := q.Template(w.TemplateID)
	if err != nil {
		return found, err
	}
	found = Shared{Workspace: w, Owner: row.Owner.Username, Status: berth.WorkspaceStatus(row.Build.Build), Max: t.MaxShare}
	if found.Agents, err = q.Agents(w.ID); err != nil {
		return found, err
	}
	found.Only = len(found.Agents) == 1
	found.Ports, err = q.PortShares(w.ID)
	for i, p := range found.Ports {
		found.Ports[i].Level = p.Level.Within(t.MaxShare)
		for _, a := range found.Agents {
			if strings.EqualFold(a.Name, p.Agent) {
				found.Ports[i].Agent = a.Name
			}
		}
	}
	return found, err
}

// AppLevel is who may open an app.
func (s Shared) AppLevel(app berth.App) berth.Share { return berth.Share(app.Share).Within(s.Max) }

// PortLevel is who may open a port, and whether it was shared as one that
// speaks TLS.
func (s Shared) PortLevel(agent string, port int) (berth.Share, bool) {
	for _, p := range s.Ports {
		if strings.EqualFold(p.Agent, agent) && p.Port == port {
			return p.Level, p.Scheme == "https"
		}
	}
	return berth.ShareOwner, false
}

// SharePort lets others open a port of an agent ("" or "-": the only one), until
// it is unshared: stops and starts of the workspace keep it. It gives the share
// as it is kept, with the agent's name.
func (s *Service) SharePort(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, agent string, p berth.PortShare) (shared Shared, kept berth.PortShare, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Share, id) // a workspace's own login has not that: whatever runs there may not let the world in
		if err != nil {
			return err
		}
		if err := maySharePort(&tx.Query, actor, w, p.Level); err != nil {
			return err
		}
		if err := checkPortShare(p); err != nil {
			return err
		}
		t, err := tx.Template(w.TemplateID)
		if err != nil {
			return err
		}
		if p.Level.Within(t.MaxShare) != p.Level {
			return berth.InvalidField("level", "the template %s allows its workspaces to share with %s at most: choose that, or ask its admins for berth templates edit %s --max-share %s",
				t.Name, t.MaxShare, t.Name, p.Level)
		}
		if p.Agent, err = agentName(&tx.Query, w, agent); err != nil {
			return err
		}
		before, err := tx.PortShare(id, p.Agent, p.Port)
		if err != nil && !errors.Is(err, berth.NotFound) {
			return err
		}
		if err := tx.SharePort(id, p); err != nil {
			return err
		}
		tx.Wake(store.WorkspaceTopic(id))
		tx.Wake(store.AccessTopic(string(id)))
		if err := audit(tx, actor, "share", w, portChanges(before, p), map[string]any{"agent": p.Agent, "port": p.Port}); err != nil {
			return err
		}
		kept = p
		shared, err = s.shared(&tx.Query, w)
		return err
	})
	return shared, kept, err
}

func portChanges(before, now berth.PortShare) berth.Changes {
	c := berth.Changes{}
	c.Set("level", before.Level, now.Level)
	c.Set("scheme", before.Scheme, now.Scheme)
	return c
}

func checkPortShare(p berth.PortShare) error {
	levels := []berth.Share{berth.ShareOrganization, berth.ShareAuthenticated, berth.SharePublic}
	if !slices.Contains(levels, p.Level) {
		return berth.InvalidField("level", "%q is no level to share a port at: say organization, authenticated or public; unshare it to have it for yourself", p.Level)
	}
	if p.Scheme != "http" && p.Scheme != "https" {
		return berth.InvalidField("scheme", "a port is shared as http or https")
	}
	return berth.ValidatePort("port", p.Port)
}

// UnsharePort ends the share of a port. A port that is not shared is
// not_found.
func (s *Service) UnsharePort(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, agent string, port int) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		w, err := find(&tx.Query, actor, authz.Update, id)
		if err != nil {
			return err
		}
		name, err := agentName(&tx.Query, w, agent)
		if err != nil {
			return err
		}
		before, err := tx.PortShare(id, name, port)
		if err != nil && !errors.Is(err, berth.NotFound) {
			return err
		}
		if err := tx.UnsharePort(id, name, port); errors.Is(err, berth.NotFound) {
			return berth.Errorf(berth.NotFound, "port %d of %s is not shared; berth ports %s shows those that are", port, w.Name, w.Name)
		} else if err != nil {
			return err
		}
		tx.Wake(store.WorkspaceTopic(id))
		tx.Wake(store.AccessTopic(string(id)))
		return audit(tx, actor, "unshare", w, portChanges(before, berth.PortShare{}), map[string]any{"agent": name, "port": port})
	})
}

// agentName is the name under which a share is kept. A stopped workspace has no
// agents: then the name is taken as it is, and the only one is that of the
// shares that there are.
func agentName(q *store.Query, w berth.Workspace, name string) (string, error) {
	agents, err := q.Agents(w.ID)
	if err != nil {
		return "", err
	}
	if len(agents) > 0 {
		a, err := pick(agents, w, name)
		return a.Name, err
	}
	if name != "" && name != "-" {
		if !berth.ValidAgentName(name) {
			return "", berth.InvalidField("agent", "%q is not the name of an agent", name)
		}
		return name, nil
	}
	shares, err := q.PortShares(w.ID)
	if err != nil {
		return "", err
	}
	names := map[string]bool{}
	for _, p := range shares {
		names[p.Agent] = true
	}
	if len(names) == 1 {
		return shares[0].Agent, nil
	}
	return "", berth.Errorf(berth.Conflict, "the workspace %s is stopped: name the agent, as %s.AGENT, or start it first", w.Name, w.Name)
}
