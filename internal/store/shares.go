package store

import "github.com/berthdev/berth"

func scanShare(s scanner) (p berth.PortShare, err error) {
	err = s.Scan(&p.Agent, &p.Port, &p.Scheme, &p.Level)
	return p, err
}

// SharePort stores who may open a port of an agent, by the agent's name: it is
// kept when the workspace is stopped and started.
func (tx *Tx) SharePort(ws berth.WorkspaceID, p berth.PortShare) error {
	_, err := tx.exec(`INSERT INTO port_shares (workspace_id, agent, port, scheme, level, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, agent, port) DO UPDATE SET scheme = EXCLUDED.scheme, level = EXCLUDED.level`,
		ws, lowered(p.Agent), p.Port, p.Scheme, string(p.Level), stamp(tx.Now))
	return err
}

// UnsharePort removes the share of a port.
func (tx *Tx) UnsharePort(ws berth.WorkspaceID, agent string, port int) error {
	return tx.must("port share", `DELETE FROM port_shares WHERE workspace_id = $1 AND agent = $2 AND port = $3`, ws, lowered(agent), port)
}

// PortShares lists the shared ports of a workspace. Their agents are in lower
// case.
func (q *Query) PortShares(ws berth.WorkspaceID) ([]berth.PortShare, error) {
	return all(q, scanShare, `SELECT agent, port, scheme, level FROM port_shares WHERE workspace_id = $1 ORDER BY agent, port`, ws)
}

// PortShare is the share of one port.
func (q *Query) PortShare(ws berth.WorkspaceID, agent string, port int) (berth.PortShare, error) {
	return one(q, "port share", scanShare, `SELECT agent, port, scheme, level FROM port_shares
		WHERE workspace_id = $1 AND agent = $2 AND port = $3`, ws, lowered(agent), port)
}
