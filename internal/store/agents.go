package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/berthdev/berth"
)

const agentColumns = `id, build_id, workspace_id, organization_id, provider_id, token_hash, spec_json,
	lifecycle, started_at, ready_at, version, directory, connected_at, seen_at, disconnected_at, created_at,
	steps_json, apps_json, trouble_json, resources_json, second_json`

func scanAgent(s scanner) (berth.Agent, error) {
	var a berth.Agent
	var directory string
	err := s.Scan(&a.ID, &a.BuildID, &a.WorkspaceID, &a.OrganizationID, &a.ProviderID, &a.TokenHash, fromJSON(&a.AgentSpec),
		&a.Lifecycle, at(&a.StartedAt), at(&a.ReadyAt), &a.Version, &directory, at(&a.ConnectedAt), at(&a.SeenAt), at(&a.Disconnected), at(&a.CreatedAt),
		fromJSON(&a.Steps), fromJSON(&a.AppHealth), fromJSON(&a.Trouble), fromJSON(&a.Pressure), fromJSON(&a.Second))
	if directory != "" { // as the agent expanded it
		a.Directory = directory
	}
	return a, err
}

// PutAgent adds an agent, or brings what its template says of it up to date when
// the workspace has it already: the agent process did not end in between, so
// what it reported stays. An agent of another workspace is conflict.
func (tx *Tx) PutAgent(a berth.Agent) error {
	n, err := tx.exec(`
		INSERT INTO agents (id, build_id, workspace_id, organization_id, provider_id, token_hash, name, spec_json,
			lifecycle, version, directory, boot, log_bytes, created_at, auth, instance_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'created', '', '', 0, 0, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET build_id = EXCLUDED.build_id, token_hash = EXCLUDED.token_hash,
			name = EXCLUDED.name, spec_json = EXCLUDED.spec_json, auth = EXCLUDED.auth, instance_id = EXCLUDED.instance_id,
			second_json = CASE WHEN agents.token_hash = EXCLUDED.token_hash THEN agents.second_json ELSE 'null' END
		WHERE agents.workspace_id = EXCLUDED.workspace_id`,
		a.ID, a.BuildID, a.WorkspaceID, a.OrganizationID, a.ProviderID, a.TokenHash, a.Name, asJSON(a.AgentSpec), stamp(tx.Now), cmp.Or(a.Auth, "token"), a.InstanceID)
	if err == nil && n == 0 {
		return berth.Errorf(berth.Conflict, "the agent %s belongs to another workspace", a.ID)
	}
	return err
}

// RemoveAgents removes the agents of a workspace but those to keep, with their
// logs.
func (tx *Tx) RemoveAgents(ws berth.WorkspaceID, keep []berth.AgentID) error {
	agents, err := tx.Agents(ws)
	if err != nil {
		return err
	}
	for _, a := range agents {
		if slices.Contains(keep, a.ID) {
			continue
		}
		if _, err := tx.exec(`DELETE FROM agent_logs WHERE agent_id = $1`, a.ID); err != nil {
			return err
		}
		if _, err := tx.exec(`DELETE FROM agents WHERE id = $1`, a.ID); err != nil {
			return err
		}
	}
	return nil
}

// FreeAgentNames lets the agents of a workspace get their names anew, perhaps
// each other's: a PutAgent of each of them follows.
func (tx *Tx) FreeAgentNames(ws berth.WorkspaceID) error {
	_, err := tx.exec(`UPDATE agents SET name = id WHERE workspace_id = $1`, ws)
	return err
}

// Agent is one agent.
func (q *Query) Agent(id berth.AgentID) (berth.Agent, error) {
	return one(q, "agent", scanAgent, `SELECT `+agentColumns+` FROM agents WHERE id = $1`, id)
}

// AgentByToken is the agent whose token has that SHA-256.
func (q *Query) AgentByToken(hash []byte) (berth.Agent, error) {
	return one(q, "agent", scanAgent, `SELECT `+agentColumns+` FROM agents WHERE token_hash = $1`, hash)
}

// AgentsOfMachine lists the agents that prove themselves by this machine, in the
// way that auth names.
func (q *Query) AgentsOfMachine(auth, instance string) ([]berth.Agent, error) {
	return all(q, scanAgent, `SELECT `+agentColumns+` FROM agents WHERE instance_id = $1 AND instance_id <> '' AND auth = $2 ORDER BY id`, instance, auth)
}

// Agents lists the agents of a workspace, in the order of their making.
func (q *Query) Agents(ws berth.WorkspaceID) ([]berth.Agent, error) {
	return all(q, scanAgent, `SELECT `+agentColumns+` FROM agents WHERE workspace_id = $1 ORDER BY lower(name)`, ws)
}

// AgentsOf lists the agents of several workspaces.
func (q *Query) AgentsOf(ws []berth.WorkspaceID) ([]berth.Agent, error) {
	var w where
	in(&w, `workspace_id`, ws)
	return all(q, scanAgent, `SELECT `+agentColumns+` FROM agents`+w.String()+` ORDER BY workspace_id, lower(name)`, w.args...)
}

// GreetAgent notes what an agent process says of itself at its start; what an
// earlier process reported of its scripts is forgotten. A process that started
// earlier than the last one that greeted is conflict: it is a leftover.
func (tx *Tx) GreetAgent(id berth.AgentID, boot int64, version, directory string) error {
	n, err := tx.exec(`
		UPDATE agents SET version = $3, directory = $4, boot = $2,
			log_bytes = CASE WHEN boot = $2 THEN log_bytes ELSE 0 END,
			lifecycle = CASE WHEN boot = $2 THEN lifecycle ELSE 'created' END,
			steps_json = CASE WHEN boot = $2 THEN steps_json ELSE '[]' END,
			resources_json = CASE WHEN boot = $2 THEN resources_json ELSE '[]' END,
			started_at = CASE WHEN boot = $2 THEN started_at END,
			ready_at = CASE WHEN boot = $2 THEN ready_at END,
			apps_json = CASE WHEN boot = $2 THEN apps_json ELSE '{}' END
		WHERE id = $1 AND boot <= $2`, id, boot, clean(version, maxWord), clean(directory, 4096))
	if err == nil && n == 0 {
		return berth.Errorf(berth.Conflict, "a newer process of this agent is running: end this one")
	}
	return err
}

// AgentBoot numbers the last process of the agent that greeted; 0: none did.
func (q *Query) AgentBoot(id berth.AgentID) (int64, error) {
	return one(q, "agent", single[int64], `SELECT boot FROM agents WHERE id = $1`, id)
}

// AgentLifecycle notes how far the agent's process boot is with its scripts. A
// process other than the last that greeted changes nothing: ok is false.
func (tx *Tx) AgentLifecycle(id berth.AgentID, boot int64, l berth.AgentLifecycle, when time.Time) (ok bool, err error) {
	n, err := tx.exec(`
		UPDATE agents SET lifecycle = $3,
			started_at = CASE WHEN $3 = 'starting' THEN $4 ELSE started_at END,
			ready_at = CASE WHEN $3 IN ('ready', 'start_error', 'start_timeout') THEN $4 WHEN $3 = 'starting' THEN NULL ELSE ready_at END
		WHERE id = $1 AND boot = $2`, id, boot, string(l), stamp(when))
	return n > 0, err
}

// AgentApps stores how the apps of the agent's process boot are. A process other
// than the last that greeted changes nothing: ok is false.
func (tx *Tx) AgentApps(id berth.AgentID, boot int64, health map[string]string) (ok bool, err error) {
	n, err := tx.exec(`UPDATE agents SET apps_json = $3 WHERE id = $1 AND boot = $2`, id, boot, asJSON(health))
	return n > 0, err
}

// AgentPressure stores what of the computer of the agent's process boot is too
// full. A process other than the last that greeted changes nothing: ok is false.
func (tx *Tx) AgentPressure(id berth.AgentID, boot int64, pressure []berth.Pressure) (ok bool, err error) {
	n, err := tx.exec(`UPDATE agents SET resources_json = $3 WHERE id = $1 AND boot = $2`, id, boot, asJSON(pressure))
	return n > 0, err
}

// AgentSteps notes the steps of the start of the agent's process boot, in place
// of those before. A process other than the last that greeted changes nothing:
// ok is false.
func (tx *Tx) AgentSteps(id berth.AgentID, boot int64, steps []berth.Step) (ok bool, err error) {
	kept := make([]berth.Step, len(steps))
	for i, s := range steps {
		s.Kind, s.Name, s.Detail = clean(s.Kind, maxWord), clean(s.Name, maxWord), clean(s.Detail, 4096)
		kept[i] = s
	}
	n, err := tx.exec(`UPDATE agents SET steps_json = $3 WHERE id = $1 AND boot = $2`, id, boot, asJSON(kept))
	return n > 0, err
}

// LinkAgent notes that the agent has a link.
func (tx *Tx) LinkAgent(id berth.AgentID) error {
	return tx.must("agent", `
		UPDATE agents SET connected_at = COALESCE(connected_at, $2), seen_at = $2, disconnected_at = NULL, trouble_json = 'null' WHERE id = $1`,
		id, stamp(tx.Now))
}

// SeeAgents notes signs of life of linked agents.
func (tx *Tx) SeeAgents(ids []berth.AgentID) error {
	for len(ids) > 0 {
		n := min(len(ids), logBatch)
		var w where
		now := w.arg(stamp(tx.Now))
		in(&w, `id`, ids[:n])
		if _, err := tx.exec(`UPDATE agents SET seen_at = `+now+w.String()+` AND disconnected_at IS NULL`, w.args...); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// UnlinkAgent notes that the agent's last link ended. An agent that is gone
// changes nothing.
func (tx *Tx) UnlinkAgent(id berth.AgentID) error {
	_, err := tx.exec(`UPDATE agents SET disconnected_at = $2 WHERE id = $1 AND connected_at IS NOT NULL`, id, stamp(tx.Now))
	return err
}

// TroubleAgent notes why the agent cannot link; its next link forgets that. A
// linked agent has none.
func (tx *Tx) TroubleAgent(id berth.AgentID, t berth.Trouble) error {
	_, err := tx.exec(`UPDATE agents SET trouble_json = $2 WHERE id = $1 AND (connected_at IS NULL OR disconnected_at IS NOT NULL)`, id, asJSON(t))
	return err
}

// SecondAgent notes a refused second link of an agent.
func (tx *Tx) SecondAgent(id berth.AgentID, s berth.SecondLink) error {
	_, err := tx.exec(`UPDATE agents SET second_json = $2 WHERE id = $1`, id, asJSON(s))
	return err
}

// LinkRight is what decides whether an agent may stay linked.
type LinkRight struct {
	Agent      berth.AgentID
	TokenHash  []byte
	Transition berth.Transition // of its workspace's newest build
	Ended      bool             // that build has
	Owner      berth.UserStatus
}

// LinkRights reads the rights of agents; one that is gone is left out.
func (q *Query) LinkRights(ids []berth.AgentID) (all []LinkRight, err error) {
	for len(ids) > 0 {
		n := min(len(ids), logBatch)
		var w where
		in(&w, `a.id`, ids[:n])
		rows, err := rightsOf(q, w)
		if err != nil {
			return nil, err
		}
		all, ids = append(all, rows...), ids[n:]
	}
	return all, nil
}

func rightsOf(q *Query, w where) ([]LinkRight, error) {
	return all(q, func(s scanner) (r LinkRight, err error) {
		var ended time.Time
		err = s.Scan(&r.Agent, &r.TokenHash, &r.Transition, at(&ended), &r.Owner)
		r.Ended = !ended.IsZero()
		return r, err
	}, `SELECT a.id, a.token_hash, b.transition, b.completed_at, u.status FROM agents a
		JOIN workspaces ws ON ws.id = a.workspace_id
		JOIN builds b ON b.id = ws.build_id
		JOIN users u ON u.id = ws.owner_id`+w.String(), w.args...)
}
