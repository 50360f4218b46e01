package workspaces

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// Agents lists the agents of the workspace's newest start.
func (s *Service) Agents(ctx context.Context, actor authz.Actor, id berth.WorkspaceID) (views []AgentView, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		w, err := find(q, actor, authz.Read, id)
		if err != nil {
			return err
		}
		agents, err := q.Agents(id)
		in := s.setting(w, time.Now())
		views = make([]AgentView, len(agents))
		for i, a := range agents {
			views[i] = agentView(a, in)
		}
		return err
	})
	return views, err
}

// FindAgent is the agent of a name ("" or "-": the only one) of the workspace's
// newest start, for who may see the workspace.
func (s *Service) FindAgent(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (a berth.Agent, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		a, err = visibleAgent(q, actor, id, name)
		return err
	})
	return a, err
}

func visibleAgent(q *store.Query, actor authz.Actor, id berth.WorkspaceID, name string) (berth.Agent, error) {
	w, err := find(q, actor, authz.Read, id)
	if err != nil {
		return berth.Agent{}, err
	}
	agents, err := q.Agents(id)
	if err != nil {
		return berth.Agent{}, err
	}
	return pick(agents, w, name)
}

// ResolveAgent is the agent of a name ("" or "-": the only one) that the actor
// may open a session to.
func (s *Service) ResolveAgent(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, name string) (a berth.Agent, err error) {
	err = s.db.Read(ctx, func(q *store.Query) error {
		w, err := find(q, actor, authz.Connect, id)
		if err != nil {
			return err
		}
		owner, err := q.User(w.OwnerID)
		if err != nil {
			return err
		}
		if owner.Status == berth.UserSuspended {
			return berth.Errorf(berth.Forbidden, "the owner of the workspace is suspended: nobody can connect to it until that is lifted")
		}
		a, err = startedAgent(q, w, name)
		return err
	})
	if err != nil {
		return a, err
	}
	// That a use could not be written down is no reason to keep people out.
	_ = s.db.Guarded(ctx, func(tx *store.Tx) error { return tx.UseWorkspace(id) })
	return a, nil
}

// startedAgent is the agent of a name of a workspace that was started.
func startedAgent(q *store.Query, w berth.Workspace, name string) (berth.Agent, error) {
	newest, err := q.NewestBuild(w.ID)
	if err != nil {
		return berth.Agent{}, err
	}
	if newest.Transition != berth.Start {
		return berth.Agent{}, berth.Errorf(berth.Conflict, "the workspace %s is %s: start it with berth start %s", w.Name, berth.WorkspaceStatus(newest), w.Name)
	}
	agents, err := q.Agents(w.ID)
	if err != nil {
		return berth.Agent{}, err
	}
	if len(agents) == 0 && newest.Active() {
		return berth.Agent{}, berth.Errorf(berth.Unavailable, "the workspace %s is %s: wait until its build has ended", w.Name, berth.WorkspaceStatus(newest))
	}
	return pick(agents, w, name)
}

// pick is the agent of a name among a workspace's.
func pick(agents []berth.Agent, w berth.Workspace, name string) (berth.Agent, error) {
	if name == "" || name == "-" {
		switch len(agents) {
		case 0:
			return berth.Agent{}, berth.Errorf(berth.NotFound, "the workspace %s has no agent: its template makes none, so there is nothing to connect to", w.Name)
		case 1:
			return agents[0], nil
		}
		return berth.Agent{}, berth.InvalidField("agent", "the workspace %s has several agents: say which one: %s", w.Name, named(agents, w))
	}
	for _, a := range agents {
		if strings.EqualFold(a.Name, name) {
			return a, nil
		}
	}
	if len(agents) == 0 {
		return berth.Agent{}, berth.Errorf(berth.NotFound, "the workspace %s has no agent %s now", w.Name, name)
	}
	return berth.Agent{}, berth.Errorf(berth.NotFound, "the workspace %s has no agent %s; there is: %s", w.Name, name, named(agents, w))
}

// named lists agents as people name them: workspace.agent.
func named(agents []berth.Agent, w berth.Workspace) string {
	list := make([]string, len(agents))
	for i, a := range agents {
		list[i] = w.Name + "." + a.Name
	}
	return strings.Join(list, ", ")
}

// AgentLogs is an agent's log behind after ("": from the start), and what to
// give as after for the lines behind it ("" when there are none now).
func (s *Service) AgentLogs(ctx context.Context, actor authz.Actor, id berth.WorkspaceID, agent, after string, limit int) (lines []berth.Log, next string, err error) {
	boot, seq, err := mark(after)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	err = s.db.Read(ctx, func(q *store.Query) error {
		a, err := visibleAgent(q, actor, id, agent)
		if err != nil {
			return err
		}
		found, err := q.AgentLogs(a.ID, boot, seq, limit)
		if err != nil {
			return err
		}
		lines, next = make([]berth.Log, len(found)), ""
		for i, l := range found {
			lines[i] = l.Log
			next = strconv.FormatInt(l.Boot, 10) + "." + strconv.FormatInt(l.Seq, 10)
		}
		return nil
	})
	return lines, next, err
}

// mark reads the place in an agent's log that AgentLogs gave: process, line.
func mark(after string) (boot, seq int64, err error) {
	if after == "" {
		return 0, 0, nil
	}
	b, l, ok := strings.Cut(after, ".")
	boot, err1 := strconv.ParseInt(b, 10, 64)
	seq, err2 := strconv.ParseInt(l, 10, 64)
	if !ok || errors.Join(err1, err2) != nil || boot < 0 || seq < 0 {
		return 0, 0, berth.InvalidField("after", "it is not a place in the log: give what was answered as next, or leave it out")
	}
	return boot, seq, nil
}
